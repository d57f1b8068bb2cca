//! The layers that families are built of, as nodes: the same arithmetic as `model::layers`, under the same names.

use super::{
    graph::{Graph, Value},
    proto::AttributeProto,
};

type Attribute = AttributeProto;

impl Graph<'_> {
    /// A convolution padded by (k - 1) / 2; with a bias where the network has one.
    pub(in crate::model) fn conv(&mut self, x: &str, name: &str, stride: i64) -> Value {
        let padding = (self.side(name) - 1) / 2;
        self.convolved(x, name, stride, padding, 1)
    }

    /// The same, each channel by itself.
    pub(in crate::model) fn depthwise(&mut self, x: &str, name: &str, stride: i64) -> Value {
        let padding = (self.side(name) - 1) / 2;
        let channels = self.shape(&format!("{name}.weight"))[0];
        self.convolved(x, name, stride, padding, channels)
    }

    /// Of squares that lie side by side.
    pub(in crate::model) fn patches(&mut self, x: &str, name: &str) -> Value {
        let side = self.side(name);
        self.convolved(x, name, side, 0, 1)
    }

    fn side(&self, name: &str) -> i64 {
        let shape = self.shape(&format!("{name}.weight"));
        shape.last().copied().unwrap_or(1)
    }

    fn convolved(&mut self, x: &str, name: &str, stride: i64, padding: i64, group: i64) -> Value {
        let side = self.side(name);
        let weight = self.weight(&format!("{name}.weight"));
        let mut inputs = vec![x.to_owned(), weight];
        let bias = format!("{name}.bias");
        if self.has(&bias) {
            inputs.push(self.weight(&bias));
        }
        let inputs: Vec<_> = inputs.iter().map(String::as_str).collect();
        let attributes = vec![
            Attribute::int("group", group),
            Attribute::ints("kernel_shape", &[side; 2]),
            Attribute::ints("pads", &[padding; 4]),
            Attribute::ints("strides", &[stride; 2]),
        ];
        self.node("Conv", name, &inputs, attributes)
    }

    /// A BatchNorm by its running statistics.
    pub(in crate::model) fn batch_norm(&mut self, x: &str, name: &str) -> Value {
        let parts = ["weight", "bias", "running_mean", "running_var"];
        let [weight, bias, mean, var] = parts.map(|part| self.weight(&format!("{name}.{part}")));
        let epsilon = Attribute::float("epsilon", 1e-5);
        let inputs = [x, &weight, &bias, &mean, &var];
        self.node("BatchNormalization", name, &inputs, vec![epsilon])
    }

    /// A LayerNorm over the last dimension.
    pub(in crate::model) fn layer_norm(&mut self, x: &str, name: &str) -> Value {
        let [weight, bias] = ["weight", "bias"].map(|part| self.weight(&format!("{name}.{part}")));
        let attributes = vec![
            Attribute::int("axis", -1),
            Attribute::float("epsilon", 1e-6),
        ];
        self.node("LayerNormalization", name, &[x, &weight, &bias], attributes)
    }

    /// A linear layer on [n, features].
    pub(in crate::model) fn linear(&mut self, x: &str, name: &str) -> Value {
        let [weight, bias] = ["weight", "bias"].map(|part| self.weight(&format!("{name}.{part}")));
        let turned = Attribute::int("transB", 1);
        self.node("Gemm", name, &[x, &weight, &bias], vec![turned])
    }

    /// A linear layer on the last of any dimensions.
    pub(in crate::model) fn linear_last(&mut self, x: &str, name: &str) -> Value {
        let [weight, bias] = ["weight", "bias"].map(|part| self.weight(&format!("{name}.{part}")));
        let weight = self.permute(&weight, name, &[1, 0]);
        let y = self.node("MatMul", name, &[x, &weight], vec![]);
        self.node("Add", name, &[&y, &bias], vec![])
    }

    /// What is above 0.
    pub(in crate::model) fn relu(&mut self, x: &str, name: &str) -> Value {
        self.node("Relu", name, &[x], vec![])
    }

    /// `x * sigmoid(x)`.
    pub(in crate::model) fn silu(&mut self, x: &str, name: &str) -> Value {
        let gate = self.node("Sigmoid", name, &[x], vec![]);
        self.node("Mul", name, &[x, &gate], vec![])
    }

    /// `x / 2 * (1 + erf(x / √2))`; opset 17 has no operator of its own for it.
    pub(in crate::model) fn gelu(&mut self, x: &str, name: &str) -> Value {
        let root = self.floats("gelu.root", &[], &[std::f32::consts::SQRT_2]);
        let one = self.floats("gelu.one", &[], &[1.0]);
        let half = self.floats("gelu.half", &[], &[0.5]);
        let y = self.node("Div", name, &[x, &root], vec![]);
        let y = self.node("Erf", name, &[&y], vec![]);
        let y = self.node("Add", name, &[&y, &one], vec![]);
        let y = self.node("Mul", name, &[x, &y], vec![]);
        self.node("Mul", name, &[&y, &half], vec![])
    }

    /// A sum.
    pub(in crate::model) fn add(&mut self, x: &str, y: &str, name: &str) -> Value {
        self.node("Add", name, &[x, y], vec![])
    }

    /// The dimensions in another order.
    pub(in crate::model) fn permute(&mut self, x: &str, name: &str, order: &[i64]) -> Value {
        let order = Attribute::ints("perm", order);
        self.node("Transpose", name, &[x], vec![order])
    }

    /// The mean of each channel, [n, channels].
    pub(in crate::model) fn pool(&mut self, x: &str) -> Value {
        let y = self.node("GlobalAveragePool", "pool", &[x], vec![]);
        let axis = Attribute::int("axis", 1);
        self.node("Flatten", "pool", &[&y], vec![axis])
    }
}
