//! A graph while it is put together: nodes by the names of the network's layers, weights by torchvision's names.

use super::{
    super::{StateDict, TensorData},
    proto::{AttributeProto, FLOAT, INT64, NodeProto, TensorProto},
};

/// The name of a value in a graph.
pub(in crate::model) type Value = String;

/// Nodes in the order of the forward pass, and the constants that they name.
pub(in crate::model) struct Graph<'a> {
    state: &'a StateDict,
    pub(super) nodes: Vec<NodeProto>,
    pub(super) constants: Vec<TensorProto>,
}

impl<'a> Graph<'a> {
    /// Of a network with these weights, in f32.
    pub(super) fn new(state: &'a StateDict) -> Self {
        Self {
            state,
            nodes: Vec::new(),
            constants: Vec::new(),
        }
    }

    /// An operation; gives its value. A name that is taken gets a number.
    pub(in crate::model) fn node(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        let plain = format!("{name}/{op}");
        let mut output = plain.clone();
        let taken = |output: &String| self.nodes.iter().any(|node| node.name == *output);
        for number in 1.. {
            if !taken(&output) {
                break;
            }
            output = format!("{plain}_{number}");
        }
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.clone()],
            name: output.clone(),
            op_type: op.to_owned(),
            attribute: attributes,
        });
        output
    }

    /// The same under a name of its own: what comes out of the graph.
    pub(super) fn output(&mut self, name: &str, op: &str, from: &str, how: Vec<AttributeProto>) {
        self.node(op, name, &[from], how);
        if let Some(node) = self.nodes.last_mut() {
            node.output = vec![name.to_owned()];
        }
    }

    /// The weight or bias of that name.
    pub(in crate::model) fn weight(&mut self, name: &str) -> Value {
        let tensor = self.tensor(name);
        let constant = TensorProto {
            dims: tensor.shape.iter().map(|&size| size as i64).collect(),
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: tensor.bytes.clone(),
        };
        self.constant(constant)
    }

    /// Whether there is one.
    pub(in crate::model) fn has(&self, name: &str) -> bool {
        self.state.get(name).is_some()
    }

    /// The shape of one.
    pub(in crate::model) fn shape(&self, name: &str) -> Vec<i64> {
        let shape = &self.tensor(name).shape;
        shape.iter().map(|&size| size as i64).collect()
    }

    /// Floats of this shape.
    pub(in crate::model) fn floats(&mut self, name: &str, dims: &[i64], values: &[f32]) -> Value {
        self.constant(TensorProto {
            dims: dims.to_vec(),
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        })
    }

    /// Integers in a row.
    pub(in crate::model) fn ints(&mut self, name: &str, values: &[i64]) -> Value {
        self.constant(TensorProto {
            dims: vec![values.len() as i64],
            data_type: INT64,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        })
    }

    /// A model that was read has every tensor of its layout.
    fn tensor(&self, name: &str) -> &'a TensorData {
        let found = self.state.get(name);
        found.unwrap_or_else(|| panic!("a layout without `{name}`"))
    }

    fn constant(&mut self, constant: TensorProto) -> Value {
        let name = constant.name.clone();
        if !self.constants.iter().any(|known| known.name == name) {
            self.constants.push(constant);
        }
        name
    }
}
