//! Twelve dishes by name; what each is made of stands in `recipe`.

/// The dishes of the main set, in code point order of their names.
pub(super) const MAIN: [Dish; 8] = [
    Dish::RolledOmelette,
    Dish::SeaweedRice,
    Dish::SoybeanStew,
    Dish::RiceCakes,
    Dish::Kimchi,
    Dish::MixedRice,
    Dish::SoftTofuStew,
    Dish::GlassNoodles,
];

/// The dishes of the second, smaller set.
pub(super) const HEALTH: [Dish; 4] = [
    Dish::GrilledTofu,
    Dish::Mushrooms,
    Dish::Spinach,
    Dish::SalmonSalad,
];

/// A kind of dish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dish {
    RolledOmelette,
    SeaweedRice,
    SoybeanStew,
    RiceCakes,
    Kimchi,
    MixedRice,
    SoftTofuStew,
    GlassNoodles,
    GrilledTofu,
    Mushrooms,
    Spinach,
    SalmonSalad,
}

impl Dish {
    /// The class folder.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RolledOmelette => "계란말이",
            Self::SeaweedRice => "김밥",
            Self::SoybeanStew => "된장찌개",
            Self::RiceCakes => "떡볶이",
            Self::Kimchi => "배추김치",
            Self::MixedRice => "비빔밥",
            Self::SoftTofuStew => "순두부찌개",
            Self::GlassNoodles => "잡채",
            Self::GrilledTofu => "두부구이",
            Self::Mushrooms => "버섯볶음",
            Self::Spinach => "시금치나물",
            Self::SalmonSalad => "연어샐러드",
        }
    }

    /// Whether it comes in a dark stone pot more often than not.
    pub(super) const fn in_pot(self) -> bool {
        matches!(self, Self::SoybeanStew | Self::SoftTofuStew)
    }
}
