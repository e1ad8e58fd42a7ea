//! The rows of nodes: who is there, who is gone, who is somebody else.

use portcullis_store::memory::FORGOTTEN_MILLIS;

use crate::bench::on_postgres;

#[test]
fn the_row_of_a_dead_node_is_removed_by_a_live_one_and_a_moving_row_is_not() {
    on_postgres("dead_rows", async |bench| {
        let row = |name: &str, seq: i64| {
            bench.place.raw(&format!(
                "INSERT INTO nodes (incarnation, name, seq, applied, key_ids)
                 VALUES (decode(md5('{name}'), 'hex'), '{name}', {seq}, 0, '')
                 ON CONFLICT (incarnation) DO UPDATE SET seq = excluded.seq"
            ));
        };
        row("dead", 7);
        row("slow", 1);
        let node = bench.follow();
        let names =
            async || -> Vec<_> { bench.rows().await.into_iter().map(|it| it.name).collect() };
        // A look after the rows were made, and another just before one is forgotten.
        bench.clock.advance(FORGOTTEN_MILLIS - 1);
        let seq = async || bench.rows().await.iter().find(|it| it.name == "east-1").unwrap().seq;
        let before = seq().await;
        node.until(async || seq().await > before + 1).await;
        assert_eq!(names().await.len(), 3);
        row("slow", 2);
        bench.clock.advance(1);
        node.until(async || names().await.len() < 3).await;
        let mut left = names().await;
        left.sort_unstable();
        assert_eq!(left, ["east-1", "slow"]);
    });
}
