//! `from = "an evaluate stage"`: the evaluations that audit and calibrate read.

use toml::Spanned;

use super::evaluate::Evaluate;
use crate::{
    config::{
        build::{Builder, FoldOf, Varied},
        data_path::ModelSource,
        fields::Fields,
        file::Span,
        names::JudgedName,
        reference::Reference,
    },
    record::Part,
};

/// The stage as written.
pub(crate) struct WrittenJudged(Reference);

/// An evaluate instance, by number, or several that differ in their fold alone.
pub(crate) struct Group {
    /// What tells them from others.
    pub varied: Varied,
    /// In the order of the pipeline.
    pub members: Vec<usize>,
}

pub(crate) fn read(
    fields: &mut Fields<'_, '_>,
    from: Option<&Spanned<JudgedName>>,
) -> Option<WrittenJudged> {
    fields.follow(from).map(WrittenJudged)
}

impl WrittenJudged {
    /// Where the stage is named.
    pub(crate) fn span(&self) -> &Span {
        &self.0.span
    }

    /// The instances, each for itself, or those of the folds of one split together.
    pub(crate) fn groups(
        &self,
        builder: &mut Builder<'_>,
        folds_together: bool,
    ) -> Option<Vec<Group>> {
        let all = builder.many(&self.0)?;
        // One instance that was named needs no telling apart.
        let named = self.0.selector.is_some() && all.len() == 1;
        let mut groups: Vec<Group> = Vec::new();
        for member in all {
            let mut varied = builder.built[member].varied.clone();
            varied.retain(|(key, _)| !folds_together || key.rsplit('.').next() != Some("fold"));
            if named {
                varied.clear();
            }
            match groups
                .iter_mut()
                .find(|group| folds_together && group.varied == varied)
            {
                Some(group) => group.members.push(member),
                None => groups.push(Group {
                    varied,
                    members: vec![member],
                }),
            }
        }
        Some(groups)
    }

    /// Notes where an evaluation lacks a part; `needed_for` says what for.
    pub(crate) fn need_part(
        &self,
        builder: &mut Builder<'_>,
        member: usize,
        part: Part,
        needed_for: &str,
    ) -> Option<()> {
        let evaluate = builder.get::<Evaluate>(member)?;
        if evaluate.on.contains(&part) {
            return Some(());
        }
        let name = part.name();
        let message = format!(
            "`{}` is not evaluated on `{name}`, {needed_for}",
            builder.id(member)
        );
        // Which images validate a model of several folds no one knows: asking for that part would be the next mistake.
        let model = match &evaluate.model {
            ModelSource::Stage { id, .. } | ModelSource::Ensemble { id } => builder.number(id),
            ModelSource::File { .. } => None,
        };
        let of_folds = |model: usize| builder.built[model].origin.fold == FoldOf::Varies;
        let help = match part == Part::Validation && model.is_some_and(of_folds) {
            true => "its models were trained on different folds, so that no image validates all of them: evaluate the folds themselves, and name that stage in `from`; each fold is then judged by its own validation part".to_owned(),
            false => format!("add `\"{name}\"` to `on` of that stage"),
        };
        builder.tell(self.span(), message, Some(&help));
        None
    }
}
