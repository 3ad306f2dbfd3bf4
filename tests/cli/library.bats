#!/usr/bin/env bats
# The library as others get it: installed headers, pkg-config file, shared object with tst_* only, an example that builds.
bats_require_minimum_version 1.5.0

setup_file() {
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    BUILD=${TESTUDO_BUILD:-$ROOT/build}
    export ROOT BUILD=$(cd "$BUILD" && pwd) DEST=$BATS_FILE_TMPDIR/dest
    DESTDIR=$DEST meson install -C "$BUILD" --no-rebuild >"$BATS_FILE_TMPDIR/install.log"
    export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR=$DEST LD_LIBRARY_PATH
    PKG_CONFIG_LIBDIR=$(dirname "$(find "$DEST" -name testudo.pc)"):$(pkg-config --variable pc_path pkg-config)
    LD_LIBRARY_PATH=$(dirname "$(find "$DEST" -name libtestudo.so.0)")
    mkdir "$BATS_FILE_TMPDIR/evidence"
    "$BUILD/tests/unit/snp/make_evidence" "$BATS_FILE_TMPDIR/evidence"
    export EVIDENCE=$BATS_FILE_TMPDIR/evidence EXAMPLE=$BATS_FILE_TMPDIR/verify
}

@test "each installed header compiles alone, as C and as C++" {
    for header in "$DEST"/usr/local/include/testudo/*.h; do
        echo "#include <testudo/$(basename "$header")>" >"$BATS_TEST_TMPDIR/one.c"
        gcc -std=c17 -Wall -Werror -fsyntax-only -I"$DEST/usr/local/include" "$BATS_TEST_TMPDIR/one.c"
    done
}

@test "the example builds with pkg-config's flags and verifies evidence" {
    # shellcheck disable=SC2046
    gcc -std=gnu17 -Wall -Wextra -Werror "$ROOT/examples/c/verify.c" -I"$DEST/usr/local/include" -L"$LD_LIBRARY_PATH" \
        $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --cflags --libs testudo) -o "$EXAMPLE"
    run "$EXAMPLE" "$EVIDENCE/good.bin" "$EVIDENCE/vek.der" "$EVIDENCE/chain.pem" "$EVIDENCE/policy.yaml"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *SIMULATED* ]]
    run -1 "$EXAMPLE" "$EVIDENCE/good.bin" "$EVIDENCE/vek.der" "$EVIDENCE/chain.pem"
    [[ $output == *"FAIL"*"chain.ark-pin"* ]]
}

@test "the shared object has a SONAME and exports tst_ symbols only" {
    object=$LD_LIBRARY_PATH/libtestudo.so.0
    run -0 objdump -p "$object"
    [[ $output == *"SONAME"*"libtestudo.so.0"* ]]
    run -0 nm -D --defined-only --format=posix "$object"
    [ "$(grep -c '^tst_' <<<"$output")" -gt 50 ]
    run -1 grep -v -E '^(tst_|TESTUDO_0 )' <<<"$output"
}

@test "every function of the installed headers is exported" {
    grep -h -o -E '\btst_[a-z0-9_]+\(' "$DEST"/usr/local/include/testudo/*.h | tr -d '(' | sort -u >"$BATS_TEST_TMPDIR/declared"
    nm -D --defined-only --format=posix "$LD_LIBRARY_PATH/libtestudo.so.0" | sed 's/[@ ].*//' | sort -u >"$BATS_TEST_TMPDIR/exported"
    # macros and static inline functions are no symbols
    for name in $(comm -23 "$BATS_TEST_TMPDIR/declared" "$BATS_TEST_TMPDIR/exported"); do
        grep -q -h -E "define.*\b$name\(|static inline .*\b$name\(|typedef .*\b$name\(" "$DEST"/usr/local/include/testudo/*.h || { echo "$name"; return 1; }
    done
}

@test "the library keeps no writable global state" {
    # const tables with addresses in them lie in .data.rel.ro, which is read-only once loaded
    run -0 objdump -t "$LD_LIBRARY_PATH/libtestudo.so.0"
    writable=$(awk '($4 == ".data" || $4 == ".bss") && $NF !~ /^(\.data|\.bss|completed\.0|__dso_handle|__TMC_END__)$/ { print $NF }' <<<"$output")
    echo "$writable"
    [ -z "$writable" ]
}
