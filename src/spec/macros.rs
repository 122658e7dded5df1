//! The macros that declare settings and their values.

/// Implements [`SettingValue`](crate::spec::SettingValue) for an enumeration: a word for each
/// variant.
#[macro_export]
macro_rules! words {
    ($Type:ty { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $Type {
            /// The words that settings of this type take.
            pub const WORDS: $crate::spec::Allowed = $crate::spec::Allowed::OneOf(&[$($word),*]);
        }
        impl $crate::spec::SettingValue for $Type {
            fn read(text: &str, _: $crate::spec::Allowed) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
            fn show(&self) -> String {
                match self { $(Self::$variant => $word),* }.to_string()
            }
        }
    };
}

/// The builder method of a setting under the name that it has in burn and torch.
#[doc(hidden)]
#[macro_export]
macro_rules! __burn_name {
    (lambda, $Type:ty) => {
        /// The same as `with_lambda`, under the name in torch, Keras, Optax and burn.
        pub fn with_weight_decay(self, weight_decay: $Type) -> Self {
            self.with_lambda(weight_decay)
        }
    };
    (eps, $Type:ty) => {
        /// The same as `with_eps`, under the name in Keras and burn.
        pub fn with_epsilon(self, epsilon: $Type) -> Self {
            self.with_eps(epsilon)
        }
    };
    (mu, $Type:ty) => {
        /// The same as `with_mu`, under the name in torch, Keras, Optax and burn.
        pub fn with_momentum(self, momentum: $Type) -> Self {
            self.with_mu(momentum)
        }
    };
    (beta1, $Type:ty) => {
        /// The same as `with_beta1`, under the name in burn.
        pub fn with_beta_1(self, beta_1: $Type) -> Self {
            self.with_beta1(beta_1)
        }
    };
    (beta2, $Type:ty) => {
        /// The same as `with_beta2`, under the name in burn.
        pub fn with_beta_2(self, beta_2: $Type) -> Self {
            self.with_beta2(beta_2)
        }
    };
    ($other:ident, $Type:ty) => {};
}

/// Declares a struct with its settings. A setting is `name: type = default, allowed;` after a doc
/// comment of one line, its description.
///
/// ```
/// use downhill::spec::{Allowed, Settings};
///
/// downhill::settings! {
///     /// A rule with one setting.
///     pub struct HeavyBall {
///         /// decay rate of the velocity
///         mu: f64 = 0.9, Allowed::Decay;
///     }
/// }
///
/// let ball = HeavyBall::new().with_mu(0.5);
/// assert_eq!(ball.spec("heavy_ball").to_string(), "heavy_ball:mu=0.5");
/// let spec: downhill::spec::Spec = "heavy_ball:mu=1.5".parse().unwrap();
/// assert!(spec.read::<HeavyBall>().is_err());
/// ```
#[macro_export]
macro_rules! settings {
    ($(#[$meta:meta])* pub struct $Name:ident { $(#[doc = $docs:literal] $field:ident: $Type:ty = $default:expr, $allowed:expr;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Name {
            $(#[doc = $docs] pub $field: $Type,)*
        }

        impl Default for $Name {
            fn default() -> Self {
                $Name { $($field: $default),* }
            }
        }

        $crate::spec::__paste! {
            impl $Name {
                /// All settings at their defaults.
                pub fn new() -> Self {
                    Self::default()
                }
                $(
                    #[doc = concat!("Sets", $docs, ".")]
                    pub fn [<with_ $field>](mut self, $field: $Type) -> Self {
                        self.$field = $field;
                        self
                    }
                    $crate::__burn_name!($field, $Type);
                )*
            }
        }

        impl $crate::spec::Settings for $Name {
            const SETTINGS: &'static [$crate::spec::Setting] = &[
                $($crate::spec::Setting { name: stringify!($field), docs: $docs.trim_ascii(), allowed: $allowed }),*
            ];

            #[allow(unused_variables)] // if there are no settings
            fn set(&mut self, owner: &str, key: &str, value: &str) -> ::std::result::Result<(), $crate::spec::SpecError> {
                match key {
                    $(stringify!($field) => {
                        let setting = $crate::spec::Setting { name: stringify!($field), docs: $docs, allowed: $allowed };
                        self.$field = setting.read::<$Type>(owner, value)?;
                        Ok(())
                    })*
                    _ => {
                        let names = || <Self as $crate::spec::Settings>::SETTINGS.iter().map(|setting| setting.name);
                        match $crate::spec::alias(key, names()) {
                            Some(here) => self.set(owner, here, value).map_err(|error| error.about(key)),
                            None => Err($crate::spec::unknown(&format!("setting of {owner}"), key, names())),
                        }
                    }
                }
            }

            fn values(&self) -> Vec<(&'static str, String)> {
                vec![$((stringify!($field), $crate::spec::SettingValue::show(&self.$field))),*]
            }
        }
    };
}
