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

/// The paths of the parameters with fewer than two dimensions.
pub(super) fn vector_paths<M: Module>(model: &M) -> Vec<String> {
    let mut visitor = PathVisitor::default();
    model.visit(&mut visitor);
    visitor.vectors
}

#[derive(Default)]
struct PathVisitor {
    /// the modules that contain the current one, from outside in
    modules: Vec<String>,
    paths: HashMap<ParamId, String>,
    vectors: Vec<String>,
}

impl ModuleVisitor for PathVisitor {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.modules.push(name.into());
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.modules.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.modules.join(".");
        if D < 2 {
            self.vectors.push(path.clone());
        }
        self.paths.insert(param.id, path);
    }
}
