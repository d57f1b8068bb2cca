//! The GPU's kernels on threads of the host, so that their arithmetic, their barriers and the way they are started are tested where
//! there is no GPU. Only what a GPU alone can show stays open: its driver, its compiler, its speed.

mod tests;

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use tch::{Kind, Tensor};

/// Does an operation of `main.cpp`, which says what numbers and tensors it takes and makes. Tensors go in and come out as they lie
/// in memory; the results are of these kinds and shapes.
pub(crate) fn kernels_on_host(
    operation: &str,
    numbers: &[i64],
    tensors: &[&Tensor],
    results: &[(Kind, &[i64])],
) -> Vec<Tensor> {
    let mut child = Command::new(program())
        .arg(operation)
        .args(numbers.iter().map(i64::to_string))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program that was just built starts");
    // The program reads everything before it writes.
    let mut input = child.stdin.take().expect("piped");
    for tensor in tensors {
        let tensor = tensor.detach().contiguous();
        let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        input.write_all(&bytes).expect("it reads");
    }
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{operation}: {}", output.status);

    let mut rest = output.stdout.as_slice();
    let results = results.iter().map(|&(kind, shape)| {
        let length = shape.iter().product::<i64>() as usize * kind.elt_size_in_bytes();
        let bytes = rest.split_off(..length).expect("as much as was asked for");
        Tensor::from_data_size(bytes, shape, kind)
    });
    let results = results.collect();
    assert!(
        rest.is_empty(),
        "{operation} makes {} bytes more",
        rest.len()
    );
    results
}

/// Built once for each run of the tests, by the compiler that built the shim.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = PathBuf::from(env!("OUT_DIR")).join("kernels_on_host");
        let source = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/native/torch/cuda/host/main.cpp"
        );
        let status = Command::new(std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned()))
            .args(["-std=c++17", "-O1", "-pthread", "-w"])
            .arg("-o")
            .args([&program, &PathBuf::from(source)])
            .status();
        assert!(
            status.is_ok_and(|s| s.success()),
            "the kernels compile for the host"
        );
        program
    })
}
