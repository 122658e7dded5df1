//! The names of a model's parameters.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// The path of each parameter: `hidden.0.weight`.
pub(super) fn parameter_paths<M: Module>(model: &M) -> HashMap<ParamId, String> {
    let mut visitor = PathVisitor::default();
    model.visit(&mut visitor);
    visitor.paths
}

#[derive(Default)]
struct PathVisitor {
    /// the modules that contain the current one, from outside in
    modules: Vec<String>,
    paths: HashMap<ParamId, String>,
}

impl ModuleVisitor for PathVisitor {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.modules.push(name.into());
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.modules.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.paths.insert(param.id, self.modules.join("."));
    }
}
