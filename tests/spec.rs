//! Parsing, printing and expanding specs.
#![cfg(feature = "lab")]

use downhill::optim::Optimizers;
use downhill::spec::Spec;

fn spec(text: &str) -> Spec {
    text.parse().unwrap()
}

#[test]
fn a_spec_is_printed_as_it_was_written() {
    for text in [
        "adam",
        "adam:lr=1e-3,beta2=0.99",
        "adam@s0:lr=[1e-3,1e-2]",
        "mlp:hidden=1000-1000",
        "nag:lr=[1,2],mu=[0.9,0.99]",
    ] {
        assert_eq!(spec(text).to_string(), text);
    }
    assert_eq!(spec(" adam @ s0 : lr = [ 1 , 2 ] ").to_string(), "adam@s0:lr=[1,2]");
}

#[test]
fn a_sweep_expands_to_every_combination_and_the_last_setting_changes_fastest() {
    let all: Vec<String> = spec("nag:lr=[1,2],mu=[0.9,0.99],point=theta")
        .expand()
        .iter()
        .map(Spec::to_string)
        .collect();
    assert_eq!(
        all,
        [
            "nag:lr=1,mu=0.9,point=theta",
            "nag:lr=1,mu=0.99,point=theta",
            "nag:lr=2,mu=0.9,point=theta",
            "nag:lr=2,mu=0.99,point=theta"
        ]
    );
    assert_eq!(spec("adam").expand(), [spec("adam")]);
}

#[test]
fn invalid_specs_are_refused() {
    for text in [
        "",
        ":",
        "adam:",
        "adam:lr",
        "adam:=1",
        "adam:lr=",
        "adam:lr=[",
        "adam:lr=]",
        "adam:lr=[1]]",
        "adam:lr=[]",
        "adam:lr=[1,,2]",
        "a b",
        "@s0",
        "adam@",
        "adam:lr=1,",
        "adam:lr=1,lr=2",
        "ädäm:\u{0}=1",
    ] {
        assert!(text.parse::<Spec>().is_err(), "`{text}` was accepted");
    }
}

#[test]
fn the_spec_of_an_optimizer_contains_every_setting_and_is_read_back() {
    let optimizers = Optimizers::default();
    let made = optimizers.make(&spec("adam@s0:lr=3e-4")).unwrap();
    assert_eq!(
        made.spec.to_string(),
        "adam:lr=0.0003,beta1=0.9,beta2=0.999,eps=1e-8,eps_place=inside,bias_correction=yes"
    );
    for entry in optimizers.entries() {
        let first = optimizers.make(&spec(entry.name)).unwrap();
        let second = optimizers.make(&first.spec).unwrap();
        assert_eq!(first.spec, second.spec);
        assert_eq!((first.lr, second.lr), (entry.lr, entry.lr));
    }
}

#[test]
fn settings_override_the_dialect() {
    let made = Optimizers::default().make(&spec("adam@s0:eps_place=hat")).unwrap();
    assert!(made.spec.to_string().contains("eps_place=hat"));
}

#[test]
#[should_panic(
    expected = "adam: beta2 is `1.5`, expected a number from 0 up to, but not including, 1"
)]
fn a_setting_out_of_range_in_code_panics_with_the_same_message() {
    downhill::optim::Adam::new().with_beta2(1.5).init();
}
