//! Compiles the faster decoder of JPEGs; with the feature `tensors`, checks the libtorch that `LIBTORCH` names, compiles the C++ shim, and
//! lets the programs find libtorch where they were built.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::exit,
};

/// The one libtorch that `tch` 0.24 speaks. Makefile reads it here.
const WANTED: &str = "2.11.0";

fn main() {
    println!("cargo:rustc-env=KFOOD_LIBTORCH={WANTED}");
    build_jpeg_scan();
    if env::var_os("CARGO_FEATURE_TENSORS").is_some() {
        build_beside_libtorch();
    }
}

/// The part of the worker in C++, and how the programs find libtorch. Without the feature `tensors` none is needed.
fn build_beside_libtorch() {
    for file in [
        "shim.cpp",
        "optimizers.cpp",
        "guarded.h",
        "cuda/shim.cpp",
        "cuda/launches.h",
    ] {
        println!("cargo:rerun-if-changed=src/native/torch/{file}");
    }
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let libtorch = env::var("LIBTORCH").unwrap_or_default();
    check_version(Path::new(&libtorch));
    let compiler = compiler(Path::new(&libtorch));
    compiler
        .clone()
        .file("src/native/torch/shim.cpp")
        .file("src/native/torch/optimizers.cpp")
        .cargo_metadata(false)
        .compile("kfood_shim");
    // Not bundled into the library, so that the link of `kfood` can leave it out.
    println!("cargo:rustc-link-lib=static:-bundle=kfood_shim");
    println!(
        "cargo:rustc-link-search=native={}",
        env::var("OUT_DIR").unwrap_or_default()
    );
    println!("cargo:rustc-link-lib=dylib=stdc++");
    if let Ok(lib) = env::var("DEP_TCH_LIBTORCH_LIB") {
        name_the_libraries(&lib);
    }
    build_cuda_shim(&compiler, Path::new(&libtorch));
    keep_libtorch_out_of_kfood();
}

/// Programs that stay where they were built find this libtorch by themselves. Elsewhere `kfood` names another one in
/// LD_LIBRARY_PATH (`exec::libtorch`), which the linker's newer tag, and not its older one, lets go first.
fn name_the_libraries(lib: &str) {
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("macos") {
        println!("cargo:rustc-link-arg=-Wl,--enable-new-dtags");
    }
    println!("cargo:rustc-env=KFOOD_BUILT_WITH_LIBTORCH={lib}");
}

/// The C++ compiler with libtorch's headers.
fn compiler(libtorch: &Path) -> cc::Build {
    let include = libtorch.join("include");
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .pic(true)
        .warnings(false)
        .opt_level(1)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", "1");
    build
}

/// The shim that needs CUDA: a shared library whose bytes the worker carries, and loads where CUDA's half of libtorch is. It
/// is compiled wherever CUDA's headers are, with or without a GPU; elsewhere the bytes are none, and the worker says so.
fn build_cuda_shim(compiler: &cc::Build, libtorch: &Path) {
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("kfood_cuda.so");
    let places = [
        env::var("CUDA_HOME")
            .map_or_else(|_| PathBuf::new(), |home| Path::new(&home).join("include")),
        libtorch.join("../nvidia/cu13/include"),
        PathBuf::from("/usr/local/cuda/include"),
    ];
    let found = places.iter().find(|place| {
        place.join("cuda_runtime.h").is_file() && place.join("crt/host_config.h").is_file()
    });
    let built = found.is_some_and(|headers| {
        let mut command = compiler
            .clone()
            .include(headers)
            .get_compiler()
            .to_command();
        command
            .args(["-shared", "-s", "-o"])
            .arg(&out)
            .arg("src/native/torch/cuda/shim.cpp");
        command.status().is_ok_and(|status| status.success())
    });
    if !built {
        if found.is_some() {
            println!(
                "cargo:warning=the CUDA shim does not compile: training on a GPU will do without own kernels and graphs"
            );
        }
        let _ = fs::write(&out, []);
    }
}

/// The faster decoder of Huffman codes, where libjpeg-turbo is compiled along and linked statically: a system's library hides
/// what it needs, and is used as it is.
fn build_jpeg_scan() {
    const FILES: [&str; 6] = [
        "scan.c",
        "bits.c",
        "flat.c",
        "walk.c",
        "progressive.c",
        "passes.c",
    ];
    let files = FILES.map(|name| format!("src/native/jpeg_{name}"));
    for file in files.iter().map(String::as_str).chain([
        "src/native/jpeg_bits.h",
        "src/native/jpeg_flat.h",
        "src/native/jpeg_progressive.h",
    ]) {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rustc-check-cfg=cfg(jpeg_scan)");
    let Ok(include) = env::var("DEP_TURBOJPEG_INCLUDE") else {
        return;
    };
    let include = Path::new(&include);
    let built_along = include.starts_with(target_folder()) && include.join("jpeglib.h").is_file();
    if !built_along {
        return;
    }
    cc::Build::new()
        .files(files)
        .include(include)
        .std("gnu11")
        .opt_level(3)
        .compile("kfood_jpeg_scan");
    println!("cargo:rustc-cfg=jpeg_scan");
}

/// `target/PROFILE/build`, in which build scripts have their folders.
fn target_folder() -> PathBuf {
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    out.ancestors().nth(2).map(Path::to_owned).unwrap_or(out)
}

/// The compiler puts shared generic code into the same object files as tensor code. An object that `kfood` needs for the
/// former draws in torch-sys for the latter, whose C++ initialisers then keep libtorch needed although nothing calls it.
/// So `kfood` is linked without torch-sys and the shim: dead references are dropped, a live one is a link error.
/// `--remap-inputs` is an option of lld, Rust's linker on this target; elsewhere `kfood` only starts more slowly.
fn keep_libtorch_out_of_kfood() {
    if env::var("TARGET").as_deref() == Ok("x86_64-unknown-linux-gnu") {
        for archive in ["*libtorch_sys*.rlib", "*libkfood_shim.a"] {
            println!("cargo:rustc-link-arg-bin=kfood=-Wl,--remap-inputs={archive}=/dev/null");
        }
    }
}

/// torch-sys does not look at the version of a Python wheel, so a wrong one would fail much later and in other words.
fn check_version(libtorch: &Path) {
    let file = libtorch.join("version.py");
    let Ok(text) = fs::read_to_string(&file) else {
        return refuse_unless_there(libtorch);
    };
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix("__version__ = "))
        .map(|v| v.trim_matches(['\'', '"']).to_owned())
        .unwrap_or_default();
    if found.split('+').next() != Some(WANTED) {
        refuse(&format!(
            "`LIBTORCH` is libtorch {found} ({}), and kfood needs {WANTED}",
            libtorch.display()
        ));
    }
}

/// A plain libtorch archive carries no `version.py`; one without headers is no libtorch at all.
fn refuse_unless_there(libtorch: &Path) {
    if !libtorch.join("include").is_dir() {
        refuse(&format!(
            "no libtorch at `LIBTORCH` = `{}`",
            libtorch.display()
        ));
    }
}

fn refuse(what: &str) {
    println!("cargo:warning={what}");
    println!(
        "cargo:warning=help: run `make libtorch`, or set LIBTORCH to a PyTorch {WANTED} (the folder with `lib` and `include`)"
    );
    exit(1);
}
