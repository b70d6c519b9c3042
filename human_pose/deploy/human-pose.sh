#!/bin/sh
# Starts the demo, or the program that the first argument names: ./human-pose doctor. ./human-pose --check reads all files.
here=$(dirname -- "$(readlink -f -- "$0")")

fail() {
    echo "error: $1" >&2
    exit 1
}

damaged() {
    fail "'$here/$1' $2. Unpack the archive again."
}

[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] ||
    fail "This folder is for Linux on x86-64, and this machine is $(uname -s) on $(uname -m). Make one on such a machine."
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || fail "This machine has no glibc; the folder needs glibc @GLIBC@ or newer."
glibc=${glibc#glibc }
[ "$(printf '%s\n' @GLIBC@ "$glibc" | sort -V | head -n 1)" = @GLIBC@ ] ||
    fail "This machine has glibc $glibc; the folder needs @GLIBC@ or newer. Use a newer Linux, or make the folder on this one."

cd_here() {
    cd -- "$here" || exit 1
}

# The manifest has a line for each file: "path": {"size": 123, "sha256": "..."}, sorted as `sort` does in the locale C.
[ -r "$here/manifest.json" ] || damaged manifest.json "is gone"
listed=$(sed -n 's/^  "\(.*\)": {"size": \([0-9]*\), .*/\1 \2/p' "$here/manifest.json")
found=$(cd_here && find human-pose README.txt licences runtime -type f -printf '%p %s\n' 2>/dev/null | LC_ALL=C sort)
if [ "$listed" != "$found" ]; then
    first=$(printf '%s\n%s\n' "$listed" "$found" | LC_ALL=C sort | uniq -u | head -n 1)
    path=${first% *}
    [ -e "$here/$path" ] || damaged "$path" "is gone"
    case "
$listed" in
    *"
$path "*) damaged "$path" "does not have the size that it was made with" ;;
    *) fail "'$here/$path' does not belong to this folder. Remove it; your own files may lie beside 'runtime'." ;;
    esac
fi

if [ "${1-}" = --check ]; then
    changed=$(cd_here && sed -n 's/^  "\(.*\)": {.* "sha256": "\(.*\)"}.*/\2  \1/p' manifest.json |
        LC_ALL=C sha256sum --check --quiet 2>/dev/null | head -n 1)
    [ -z "$changed" ] || damaged "${changed%: *}" "was changed"
    echo "Every file is as it was made: $(printf '%s\n' "$listed" | wc -l) files."
    exit 0
fi
exec "$here/runtime/python" -m human_pose "$@"
