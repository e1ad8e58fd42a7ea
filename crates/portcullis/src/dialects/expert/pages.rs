//! The home page, which every sample of the vendor asks for.

use super::document::Element;
use super::site::Site;

/// `GET pages/home/info`.
pub(super) fn home(site: &Site<'_>) -> Element {
    Element::new("page")
        .with("id", 1)
        .with("guid", "0".repeat(32))
        .with("draft.state", "inactive")
        .with("href", site.href("pages/1?redirects=0"))
        .with("deleted", false)
        .of([
            Element::text("article", "topic-category"),
            Element::text("language", "en-US"),
            Element::text("namespace", "main"),
            Element::new("path").with("seo", true).with("type", "fixed"),
            Element::text("title", site.settings.title.as_str()),
            Element::text("uri.ui", format!("{}/", site.origin)),
        ])
}
