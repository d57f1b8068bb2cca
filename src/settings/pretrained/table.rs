//! The table: torchvision 0.26's weights of the networks that are built here, and timm 1.0.31's of the same networks whose file is named
//! by its digest. Left out are those under licences that forbid commercial use (`fb_ssl`, `fb_swsl`, `eupe`), and those without a head.

use super::Pretrained;
use crate::settings::Arch;

const fn weights(name: &'static str, arch: Arch, url: &'static str, side: u32) -> Pretrained {
    Pretrained {
        name,
        arch,
        url,
        side,
    }
}

/// All of them, by publisher and network.
#[rustfmt::skip]
pub const PRETRAINED: &[Pretrained] = &[
    weights("torchvision/resnet18.IMAGENET1K_V1", Arch::Resnet18, "https://download.pytorch.org/models/resnet18-f37072fd.pth", 224),
    weights("torchvision/resnet34.IMAGENET1K_V1", Arch::Resnet34, "https://download.pytorch.org/models/resnet34-b627a593.pth", 224),
    weights("torchvision/resnet50.IMAGENET1K_V1", Arch::Resnet50, "https://download.pytorch.org/models/resnet50-0676ba61.pth", 224),
    weights("torchvision/resnet50.IMAGENET1K_V2", Arch::Resnet50, "https://download.pytorch.org/models/resnet50-11ad3fa6.pth", 224),
    weights("torchvision/resnet101.IMAGENET1K_V1", Arch::Resnet101, "https://download.pytorch.org/models/resnet101-63fe2227.pth", 224),
    weights("torchvision/resnet101.IMAGENET1K_V2", Arch::Resnet101, "https://download.pytorch.org/models/resnet101-cd907fc2.pth", 224),
    weights("torchvision/resnet152.IMAGENET1K_V1", Arch::Resnet152, "https://download.pytorch.org/models/resnet152-394f9c45.pth", 224),
    weights("torchvision/resnet152.IMAGENET1K_V2", Arch::Resnet152, "https://download.pytorch.org/models/resnet152-f82ba261.pth", 224),
    weights("torchvision/convnext_tiny.IMAGENET1K_V1", Arch::ConvnextTiny, "https://download.pytorch.org/models/convnext_tiny-983f1562.pth", 224),
    weights("torchvision/efficientnet_b0.IMAGENET1K_V1", Arch::EfficientnetB0, "https://download.pytorch.org/models/efficientnet_b0_rwightman-7f5810bc.pth", 224),
    weights("timm/resnet18.a1_in1k", Arch::Resnet18, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet18_a1_0-d63eafa0.pth", 224),
    weights("timm/resnet18.a2_in1k", Arch::Resnet18, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet18_a2_0-b61bd467.pth", 224),
    weights("timm/resnet18.a3_in1k", Arch::Resnet18, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet18_a3_0-40c531c8.pth", 160),
    weights("timm/resnet18.gluon_in1k", Arch::Resnet18, "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/gluon_resnet18_v1b-0757602b.pth", 224),
    weights("timm/resnet18.tv_in1k", Arch::Resnet18, "https://download.pytorch.org/models/resnet18-f37072fd.pth", 224),
    weights("timm/resnet34.a1_in1k", Arch::Resnet34, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet34_a1_0-46f8f793.pth", 224),
    weights("timm/resnet34.a2_in1k", Arch::Resnet34, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet34_a2_0-82d47d71.pth", 224),
    weights("timm/resnet34.a3_in1k", Arch::Resnet34, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet34_a3_0-a20cabb6.pth", 160),
    weights("timm/resnet34.bt_in1k", Arch::Resnet34, "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/resnet34-43635321.pth", 224),
    weights("timm/resnet34.gluon_in1k", Arch::Resnet34, "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/gluon_resnet34_v1b-c6d82d59.pth", 224),
    weights("timm/resnet34.tv_in1k", Arch::Resnet34, "https://download.pytorch.org/models/resnet34-b627a593.pth", 224),
    weights("timm/resnet50.a1_in1k", Arch::Resnet50, "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_a1_0-14fe96d1.pth", 224),
    weights("timm/resnet50.a1h_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_a1h2_176-001a1197.pth", 176),
    weights("timm/resnet50.a2_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_a2_0-a2746f79.pth", 224),
    weights("timm/resnet50.a3_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_a3_0-59cae1ef.pth", 160),
    weights("timm/resnet50.am_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/resnet50_am-6c502b37.pth", 224),
    weights("timm/resnet50.b1k_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_b1k-532a802a.pth", 224),
    weights("timm/resnet50.b2k_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_b2k-1ba180c1.pth", 224),
    weights("timm/resnet50.bt_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/rw_resnet50-86acaeed.pth", 224),
    weights("timm/resnet50.c1_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_c1-5ba5e060.pth", 224),
    weights("timm/resnet50.c2_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_c2-d01e05b2.pth", 224),
    weights("timm/resnet50.d_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_d-f39db8af.pth", 224),
    weights("timm/resnet50.gluon_in1k", Arch::Resnet50, "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/gluon_resnet50_v1b-0ebe02e2.pth", 224),
    weights("timm/resnet50.ra_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/resnet50_ra-85ebb6e5.pth", 224),
    weights("timm/resnet50.ram_in1k", Arch::Resnet50, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/resnet50_ram-a26f946b.pth", 224),
    weights("timm/resnet50.tv2_in1k", Arch::Resnet50, "https://download.pytorch.org/models/resnet50-11ad3fa6.pth", 176),
    weights("timm/resnet50.tv_in1k", Arch::Resnet50, "https://download.pytorch.org/models/resnet50-0676ba61.pth", 224),
    weights("timm/resnet101.a1_in1k", Arch::Resnet101, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet101_a1_0-cdcb52a9.pth", 224),
    weights("timm/resnet101.a1h_in1k", Arch::Resnet101, "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet101_a1h-36d3f2aa.pth", 224),
    weights("timm/resnet101.a2_in1k", Arch::Resnet101, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet101_a2_0-6edb36c7.pth", 224),
    weights("timm/resnet101.a3_in1k", Arch::Resnet101, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet101_a3_0-1db14157.pth", 160),
    weights("timm/resnet101.gluon_in1k", Arch::Resnet101, "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/gluon_resnet101_v1b-3b017079.pth", 224),
    weights("timm/resnet101.tv2_in1k", Arch::Resnet101, "https://download.pytorch.org/models/resnet101-cd907fc2.pth", 176),
    weights("timm/resnet101.tv_in1k", Arch::Resnet101, "https://download.pytorch.org/models/resnet101-63fe2227.pth", 224),
    weights("timm/resnet152.a1_in1k", Arch::Resnet152, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet152_a1_0-2eee8a7a.pth", 224),
    weights("timm/resnet152.a1h_in1k", Arch::Resnet152, "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet152_a1h-dc400468.pth", 224),
    weights("timm/resnet152.a2_in1k", Arch::Resnet152, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet152_a2_0-b4c6978f.pth", 224),
    weights("timm/resnet152.a3_in1k", Arch::Resnet152, "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet152_a3_0-134d4688.pth", 160),
    weights("timm/resnet152.gluon_in1k", Arch::Resnet152, "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/gluon_resnet152_v1b-c1edb0dd.pth", 224),
    weights("timm/resnet152.tv2_in1k", Arch::Resnet152, "https://download.pytorch.org/models/resnet152-f82ba261.pth", 176),
    weights("timm/resnet152.tv_in1k", Arch::Resnet152, "https://download.pytorch.org/models/resnet152-394f9c45.pth", 224),
    weights("timm/efficientnet_b0.ra_in1k", Arch::EfficientnetB0, "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/efficientnet_b0_ra-3dd342df.pth", 224),
];

/// timm's other weights of these networks, by their name, and how their images were normalised, as a pipeline says it: their files are
/// called `model.safetensors`, all of them, so that nothing tells one from another.
pub(super) const OF_THE_HUB: &[(&str, &str)] = &[
    ("timm/resnet34.ra4_e3600_r224_in1k", HALVES),
    ("timm/convnext_tiny.fb_in1k", IMAGENET),
    ("timm/convnext_tiny.fb_in22k", IMAGENET),
    ("timm/convnext_tiny.fb_in22k_ft_in1k", IMAGENET),
    ("timm/convnext_tiny.fb_in22k_ft_in1k_384", IMAGENET),
    ("timm/convnext_tiny.in12k", IMAGENET),
    ("timm/convnext_tiny.in12k_ft_in1k", IMAGENET),
    ("timm/convnext_tiny.in12k_ft_in1k_384", IMAGENET),
    ("timm/efficientnet_b0.ra4_e3600_r224_in1k", HALVES),
];

const IMAGENET: &str = "\"imagenet\"";
const HALVES: &str = "{ mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }";
