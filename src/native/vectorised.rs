//! Loops compiled for the vector instructions of this processor, beside those that every processor has.

/// Does the work; what is inlined into it (`#[inline(always)]`) is compiled for AVX2 too, and that version runs where the processor
/// has it. The bits are the same: no product and sum are fused.
#[inline(always)]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has these instructions.
            return unsafe { avx2(work) };
        }
    }
    work()
}
