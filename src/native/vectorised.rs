//! Loops compiled for the vector instructions of this processor, beside those that every processor has.

/// Work whose loops gain from wide vectors.
///
/// `run`, and the functions that it calls, are marked `#[inline(always)]`: they are compiled once for every processor and once
/// for AVX2. (Not a closure, as the compiler leaves that a function of its own, which every processor can run.)
pub trait Vectorised: Sized {
    /// What comes of it.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;

    /// Does the work with the vectors that this processor has. The bits are the same: no product and sum are fused.
    fn vectorised(self) -> Self::Output {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2")]
            fn avx2<W: Vectorised>(work: W) -> W::Output {
                work.run()
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has these instructions.
                return unsafe { avx2(self) };
            }
        }
        self.run()
    }
}
