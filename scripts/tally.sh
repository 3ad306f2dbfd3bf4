# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# scripts/tally.sh - counts results for run-tests, run-fuzz and lint, which source it. Their last line is always
# "N passed, N failed"; the exit status is 1 if anything failed or nothing ran at all.
tally_passed=0
tally_failed=0

# tally_add PASSED FAILED
tally_add() {
    tally_passed=$((tally_passed + $1))
    tally_failed=$((tally_failed + $2))
}

# tally_end: prints the last line and ends the script
tally_end() {
    echo "$tally_passed passed, $tally_failed failed"
    [ "$tally_failed" -eq 0 ] && [ "$tally_passed" -gt 0 ]
    exit
}
