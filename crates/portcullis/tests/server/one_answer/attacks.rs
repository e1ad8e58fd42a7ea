pub(super) fn rows() -> Vec<super::row::Row> {
    Vec::new()
}
pub(super) fn assert_complete() {}
