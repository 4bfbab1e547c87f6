/* The scenarios, one of each thing that a module may rely on. Included by each host's test with a SCENARIO of its own.
 *
 * `script` is played by the type `type` (module.c) on FlowFiles whose contents are `items`. `expect` is what must be
 * there at the end, sorted: FlowFiles as conform-sink writes them ("RELATIONSHIP: CONTENT attributes"), the subject's
 * provenance ("event: TYPE URI"), effects done ("effect: TEXT").
 */

/* ---- commit and rollback ------------------------------------------------------------------------------- */

SCENARIO(commits_what_a_session_did, .type = "conform-loop", .items = "[one, two]", .script = "[get, set a 1, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 a=1\nsuccess: two number=1 a=1\n")
SCENARIO(a_worker_does_the_same, .type = "conform-worker", .items = "[one, two]", .script = "[get, set a 1, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 a=1\nsuccess: two number=1 a=1\n")
SCENARIO(passes_on_what_it_did_not_change, .type = "conform-loop", .script = "[get, transfer other]",
         .expect = "event: TRANSFER\nother: one number=0\n")
SCENARIO(takes_a_batch, .type = "conform-loop", .items = "[one, two, three]", .script = "[get, transfer success, repeat]",
         .expect = "event: TRANSFER\nevent: TRANSFER\nevent: TRANSFER\nsuccess: one number=0\nsuccess: three number=2\n"
                   "success: two number=1\n")
SCENARIO(takes_a_batch_on_a_worker, .type = "conform-worker", .items = "[one, two, three]", .script = "[get, transfer success, repeat]",
         .expect = "event: TRANSFER\nevent: TRANSFER\nevent: TRANSFER\nsuccess: one number=0\nsuccess: three number=2\n"
                   "success: two number=1\n")
SCENARIO(a_rollback_leaves_no_trace, .type = "conform-worker",
         .script = "[get, once set a 1, once write changed, once clone, once transfer other, once other, once rollback, tries,"
                   " transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 tries=2\n")
SCENARIO(a_death_leaves_no_trace, .type = "conform-loop", .script = "[get, see a, set a 1, write changed, die, transfer success]",
         .expect = "event: CONTENT_MODIFIED\nsuccess: changed number=0 seen=(absent) a=1\n")
SCENARIO(a_death_on_a_worker_leaves_no_trace, .type = "conform-worker", .items = "[one, two]",
         .script = "[get, see a, set a 1, die, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 seen=(absent) a=1\n"
                   "success: two number=1 seen=(absent) a=1\n")
SCENARIO(a_forgotten_flowfile_stays, .type = "conform-loop", .script = "[get, once set a 1, again transfer success]", .faulty = true,
         .expect = "event: TRANSFER\nsuccess: one number=0\n")

SCENARIO(a_session_that_forgets_one_leaves_no_trace, .type = "conform-worker",
         .script = "[get, once child, once write kid, once transfer other, again transfer success]", .faulty = true,
         .expect = "event: TRANSFER\nsuccess: one number=0\n")

/* ---- FlowFiles ---------------------------------------------------------------------------------------------- */

SCENARIO(drops, .type = "conform-loop", .script = "[get, drop because]", .expect = "event: DROP\n")
SCENARIO(tells_what_was_done_before_a_drop, .type = "conform-loop", .script = "[get, event SEND x://y, drop done]",
         .expect = "event: DROP\nevent: SEND x://y\n")
SCENARIO(what_is_made_and_dropped_was_never_there, .type = "conform-worker", .script = "[get, drop, create, write new, drop]",
         .expect = "event: DROP\n")
SCENARIO(clones_share_content_until_one_is_written, .type = "conform-worker",
         .script = "[get, clone, write new, transfer other, other, read, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: CLONE\nother: new number=0\n"
                   "success: one number=0 read=one size=3 past.end=0\n")
SCENARIO(a_child_has_its_parents_attributes_and_no_content, .type = "conform-loop",
         .script = "[get, set a 1, child, set b 2, transfer other, other, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: FORK\nother:  number=0 a=1 b=2\nsuccess: one number=0 a=1\n")
SCENARIO(creates, .type = "conform-loop", .script = "[get, drop, create, write new, transfer success]",
         .expect = "event: CREATE\nevent: DROP\nsuccess: new\n")
SCENARIO(attributes_keep_their_order, .type = "conform-loop",
         .script = "[get, set a 1, set b 2, unset a, see a, set b 3, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 b=3 seen=(absent)\n")
SCENARIO(a_flowfile_has_its_uuid, .type = "conform-loop", .script = "[get, length uuid, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 length=36\n")
SCENARIO(says_its_event, .type = "conform-loop", .script = "[get, event SEND s3://bucket/key, transfer success]",
         .expect = "event: SEND s3://bucket/key\nsuccess: one number=0\n")

/* ---- expressions ---------------------------------------------------------------------------------------------- */

SCENARIO(evaluates, .type = "conform-loop", .script = "[get, set a x, evaluate, transfer success]",
         .more = "value: \"${number:append('1')}-${a}-${missing}$${b}\"\n",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 a=x value=01-x-${b}\n")
SCENARIO(evaluates_items_in_their_order, .type = "conform-worker", .script = "[get, evaluate-items, transfer success]",
         .more = "values: {z: plain, a: \"${number}\"}\n", .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 z=plain a=0\n")
SCENARIO(an_absent_property_is_empty, .type = "conform-loop", .script = "[get, evaluate, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 value=\n")

SCENARIO(an_expression_sees_the_state, .type = "conform-loop", .items = "[one, two]",
         .script = "[get, evaluate, set-state n x, transfer success]", .more = "value: \"${getStateValue('n')}\"\n",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 value=\nsuccess: two number=1 value=x\n")

/* ---- failures ------------------------------------------------------------------------------------------------------ */

SCENARIO(a_permanent_failure_leaves, .type = "conform-loop", .script = "[get, fail permanent NoSuchKey]",
         .expect = "event: ATTRIBUTES_MODIFIED\n"
                   "failure: one number=0 error.relationship=failure error.class=permanent error.code=NoSuchKey\n")
SCENARIO(a_permanent_failure_leaves_where_it_says, .type = "conform-worker", .script = "[get, fail permanent Odd other]",
         .expect = "event: ATTRIBUTES_MODIFIED\nother: one number=0 error.relationship=other error.class=permanent error.code=Odd\n")
SCENARIO(a_failure_does_not_touch_the_sessions_others, .type = "conform-loop", .items = "[one, two]",
         .script = "[get, fail permanent Odd, get, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: TRANSFER\n"
                   "failure: one number=0 error.relationship=failure error.class=permanent error.code=Odd\n"
                   "success: two number=1\n")
SCENARIO(one_that_was_made_here_leaves_whatever_the_class, .type = "conform-loop",
         .script = "[get, drop, create, write new, fail transient EBUSY]",
         .expect = "event: CREATE\nevent: DROP\nfailure: new error.relationship=failure error.class=transient error.code=EBUSY\n")
SCENARIO(a_transient_failure_waits_and_lets_others_pass, .type = "conform-loop", .items = "[one, two]",
         .script = "[get, once set a 1, once fail transient EBUSY, again tries, again transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 tries=3\n"
                   "success: two number=1 tries=2\n")
SCENARIO(a_failure_of_configuration_keeps_all_in_order, .type = "conform-loop", .items = "[one, two]",
         .script = "[get, once fail configuration NoSuchBucket, again tries, again transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 tries=2\n"
                   "success: two number=1 tries=3\n")
SCENARIO(an_instance_that_fails_tries_again, .type = "conform-worker",
         .script = "[get, once fail-instance transient EIO, tries, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 tries=2\n")

/* ---- content ---------------------------------------------------------------------------------------------------------- */

SCENARIO(reads, .type = "conform-worker", .script = "[get, read, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 read=one size=3 past.end=0\n")
SCENARIO(reads_what_it_wrote, .type = "conform-worker", .script = "[get, read, write hello, read, transfer success]",
         .expect = "event: CONTENT_MODIFIED\nsuccess: hello number=0 read=hello size=5 past.end=0\n")
SCENARIO(reads_nothing, .type = "conform-loop", .script = "[get, drop, create, read, transfer success]",
         .expect = "event: CREATE\nevent: DROP\nsuccess:  read= size=0 past.end=0\n")
SCENARIO(packed_content_comes_back, .type = "conform-worker", .script = "[get, fill 20000, read, unset read, transfer success]",
         .expect = "event: CONTENT_MODIFIED\nsuccess: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx number=0 size=20000 past.end=0\n")
SCENARIO(large_content_survives_a_death, .type = "conform-worker", .items = "[one, two]",
         .script = "[get, fill 700000, die, read, unset read, transfer success]",
         .expect = "event: CONTENT_MODIFIED\nevent: CONTENT_MODIFIED\n"
                   "success: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx number=0 size=700000 past.end=0\n"
                   "success: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx number=1 size=700000 past.end=0\n")

SCENARIO(content_that_was_written_has_its_hash, .type = "conform-loop", .script = "[get, fill 5, see sha256, transfer success]",
         .expect = "event: CONTENT_MODIFIED\n"
                   "success: xxxxx number=0 seen=eaf16bc07968e013f3f94ab1342472434a39fc3475f11cf341a6c3965974f8e9\n")
SCENARIO(takes_a_file_in, .type = "conform-worker", .script = "[get, import from outside, read, transfer success]",
         .expect = "event: CONTENT_MODIFIED\nsuccess: from outside number=0 read=from outside size=12 past.end=0\n")

/* ---- intents, turns, effects ------------------------------------------------------------------------------------------ */

SCENARIO(an_intent_and_its_steps_are_there_again, .type = "conform-loop-effects",
         .script = "[get, recall, once intend to send, once progress part1, once progress part2, once fail transient EBUSY,"
                   " again transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 intent=to send steps=part1,part2,\n")
SCENARIO(a_worker_waits_for_its_intent, .type = "conform-worker-effects",
         .script = "[get, recall, once intend to send, once progress part1, once rollback, again transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 intent=to send steps=part1,\n")
SCENARIO(an_intent_survives_a_death, .type = "conform-loop-effects",
         .script = "[get, recall, intend to send, progress part1, die, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 intent=to send steps=part1,\n")
SCENARIO(an_intent_on_a_worker_survives_a_death, .type = "conform-worker-effects",
         .script = "[get, recall, intend to send, progress part1, die, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 intent=to send steps=part1,\n")
SCENARIO(a_new_intent_forgets_the_steps, .type = "conform-loop-effects",
         .script = "[get, once intend first, once progress part1, intend second, once rollback, recall, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 intent=second steps=\n")
SCENARIO(a_turn_is_kept_until_its_flowfile_leaves, .type = "conform-loop-effects", .items = "[one, two]",
         .script = "[get, turn target, once fail transient EBUSY, again tries, again transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 tries=3\n"
                   "success: two number=1 tries=4\n")
SCENARIO(a_turn_on_a_worker_is_kept_too, .type = "conform-worker-effects", .items = "[one, two]",
         .script = "[get, turn target, once fail transient EBUSY, again tries, again transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 tries=3\n"
                   "success: two number=1 tries=4\n")
SCENARIO(sessions_that_wait_for_a_turn_all_get_it, .type = "conform-loop-effects", .items = "[one, two, three]", .concurrency = 3,
         .script = "[get, turn target, timer 20, transfer success]",
         .expect = "event: TRANSFER\nevent: TRANSFER\nevent: TRANSFER\nsuccess: one number=0\nsuccess: three number=2\n"
                   "success: two number=1\n")
SCENARIO(an_effect_follows_the_commit, .type = "conform-loop", .script = "[get, after-commit remove it, transfer success]",
         .expect = "effect: remove it\nevent: TRANSFER\nsuccess: one number=0\n")
SCENARIO(an_effect_is_repeated_until_it_is_done, .type = "conform-worker", .more = "effect_failures: 2\n",
         .script = "[get, after-commit remove it, drop]", .expect = "effect: remove it\nevent: DROP\n")
SCENARIO(an_effect_that_nobody_remembers_is_done_again, .type = "conform-loop", .more = "effect_dies: true\n",
         .script = "[get, after-commit remove it, transfer success]",
         .expect = "effect: remove it\neffect: remove it\nevent: TRANSFER\nsuccess: one number=0\n")
SCENARIO(no_effect_without_its_commit, .type = "conform-worker",
         .script = "[get, once after-commit never, once rollback, after-commit remove it, die, transfer success]",
         .expect = "effect: remove it\nevent: TRANSFER\nsuccess: one number=0\n")
SCENARIO(no_effect_of_one_that_fails, .type = "conform-loop", .items = "[one, two]",
         .script = "[get, after-commit never, fail permanent Odd, get, after-commit remove it, transfer success]",
         .expect = "effect: remove it\nevent: ATTRIBUTES_MODIFIED\nevent: TRANSFER\n"
                   "failure: one number=0 error.relationship=failure error.class=permanent error.code=Odd\n"
                   "success: two number=1\n")
SCENARIO(one_that_is_tried_again_has_the_effect_of_its_success_alone, .type = "conform-worker",
         .script = "[get, once after-commit never, once fail transient EBUSY, again after-commit remove it, again transfer success]",
         .expect = "effect: remove it\nevent: TRANSFER\nsuccess: one number=0\n")

/* ---- state ----------------------------------------------------------------------------------------------------------------- */

SCENARIO(state_commits_with_the_session, .type = "conform-loop", .items = "[one, two]",
         .script = "[get, state n, set-state n 5, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 n=(none)\nsuccess: two number=1 n=5\n")
SCENARIO(state_rolls_back_with_the_session, .type = "conform-worker",
         .script = "[get, set-state n 9, state n, set seen.first yes, once rollback, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 n=9 seen.first=yes\n")
SCENARIO(state_that_rolled_back_is_not_seen, .type = "conform-worker",
         .script = "[get, once set-state n 9, once rollback, state n, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 n=(none)\n")
SCENARIO(state_is_removed, .type = "conform-loop", .items = "[one, two, three]",
         .script = "[get, state n, once set-state n 5, again set-state n, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 n=(none)\n"
                   "success: three number=2 n=(none)\nsuccess: two number=1 n=5\n")
SCENARIO(state_survives_a_death, .type = "conform-loop-effects", .items = "[one, two]",
         .script = "[get, state n, set-state n 5, die, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nsuccess: one number=0 n=(none)\nsuccess: two number=1 n=5\n")

/* ---- asynchronous calls ------------------------------------------------------------------------------------------------------ */

SCENARIO(calls_complete_once_each, .type = "conform-loop", .script = "[get, timer 5, job, timer 0, completions, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 completions=13 cancelled=no\n")
SCENARIO(a_cancelled_call_completes_too, .type = "conform-loop", .script = "[get, cancelled-timer, completions, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 completions=1 cancelled=yes\n")
SCENARIO(a_cancelled_session_rolls_back, .type = "conform-loop", .cancelled = true,
         .script = "[get, once set a 1, once timer 3600000, tries, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nsuccess: one number=0 tries=2\n")
SCENARIO(several_sessions_are_open_at_once, .type = "conform-loop", .items = "[one, two, three]", .concurrency = 3,
         .script = "[get, timer 20, completions, transfer success]",
         .expect = "event: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\nevent: ATTRIBUTES_MODIFIED\n"
                   "success: one number=0 completions=1 cancelled=no\nsuccess: three number=2 completions=1 cancelled=no\n"
                   "success: two number=1 completions=1 cancelled=no\n")
