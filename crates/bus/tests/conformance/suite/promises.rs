//! The promises, each a test of the place that is named.

macro_rules! conformance {
    ($name:ident: $place:ty) => {
        mod $name {
            $crate::suite::promises::conformance!(@ $place,
                streams::records_come_back_as_they_were_appended,
                streams::offsets_rise_and_the_end_is_the_last_of_them,
                streams::what_was_acknowledged_is_there_after_a_restart,
                streams::every_follower_sees_each_record_once_and_in_order_under_concurrent_appends,
                streams::a_follower_goes_on_after_a_position,
                streams::records_are_read_by_their_offsets,
                streams::a_follower_of_several_partitions_keeps_the_order_of_each,
                streams::a_follower_wakes_for_a_record_and_gives_up_at_its_deadline,
                streams::a_wait_that_is_dropped_loses_nothing,
                streams::partitions_and_streams_are_apart,
                refusals::only_the_owner_writes_events_commands_and_snapshots,
                refusals::a_partition_that_does_not_exist_is_refused,
                refusals::a_record_that_is_too_large_is_refused_with_its_whole_batch,
                refusals::a_position_beyond_the_end_is_refused,
                refusals::plain_streams_have_no_latest_record_of_a_key,
                refusals::what_is_kept_for_ever_does_not_expire,
                refusals::a_closed_bus_says_so,
                ownership::taking_a_partition_appends_the_record_and_its_offset_makes_the_epoch,
                ownership::a_fenced_owner_writes_nothing,
                ownership::of_many_that_take_a_partition_at_once_one_can_write,
                ownership::nothing_of_a_former_owner_follows_the_taking,
                ownership::an_epoch_rises_or_the_partition_is_not_taken,
                ownership::owners_of_other_partitions_go_on,
                ownership::a_commit_writes_all_its_records_and_the_consumed_position,
                ownership::a_refused_commit_writes_nothing_at_all,
                ownership::a_commit_tells_other_partitions_in_the_same_transaction,
                ownership::a_report_is_consumed_once,
                ownership::an_owner_that_did_not_wait_for_its_answer_commits_no_more,
                compaction::compacted_streams_hold_the_latest_record_of_each_key,
                compaction::an_empty_value_is_a_value,
                compaction::a_follower_reads_to_the_end_and_then_what_comes,
                compaction::no_offset_is_used_twice,
                compaction::the_same_key_in_another_partition_is_another_key,
                backup::a_backup_brings_back_every_byte_in_its_order,
                backup::after_an_import_reports_go_on_and_epochs_rise,
                backup::what_comes_after_the_beginning_is_in_the_next_backup,
                backup::a_backup_that_was_cut_or_changed_is_refused,
                backup::a_log_that_is_in_use_takes_no_backup,
            );
        }
    };
    (@ $place:ty, $($module:ident::$promise:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $crate::suite::$module::$promise(&<$place as $crate::suite::place::Place>::new()).await;
            }
        )*
    };
}

pub(crate) use conformance;
