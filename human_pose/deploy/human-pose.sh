#!/bin/sh
# Starts the demo, or the program that the first argument names: ./human-pose doctor. ./human-pose --check reads all files.
# Each start waits for what runs here, so few programs are started.

fail() {
    echo "error: $1" >&2
    exit 1
}

damaged() {
    fail "'$here/$1' $2. Unpack the archive again."
}

path_before=${PATH-}
PATH=${PATH:+$PATH:}/usr/bin:/bin
script=$0
[ ! -L "$script" ] || script=$(readlink -f -- "$script")
case $script in
*/*) here=$(cd -- "${script%/*}" && pwd -P) ;;
*) here=$(pwd -P) ;;
esac

machine=$(uname -sm)
[ "$machine" = "Linux x86_64" ] ||
    fail "This folder is for Linux on x86-64, and this machine is $machine. Make one on such a machine."
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || fail "This machine has no glibc; the folder needs glibc @GLIBC@ or newer."
needed=@GLIBC@
[ "${glibc#*.}" -ge "${needed#*.}" ] ||
    fail "This machine has $glibc; the folder needs $needed or newer. Use a newer Linux, or make the folder on this one."

# The manifest has a line for each file, `  "path": {"size": 123, "sha256": "..."},`, sorted as `sort` does in the locale C.
# Of each line, `path": 123, ` is compared. `sed` would take twenty times as long as `cut`.
[ -r "$here/manifest.json" ] || damaged manifest.json "is gone"
listed=$(LC_ALL=C grep -e '"sha256"' -e '^}$' "$here/manifest.json" | cut -d '"' -f 2,5)
found=$(cd -- "$here" && {
    find human-pose README.txt desktop licences runtime -type f -printf '%p": %s, \n' 2>/dev/null | LC_ALL=C sort
    echo }
})
if [ "$listed" != "$found" ]; then
    [ "$(tail -n 1 "$here/manifest.json")" = } ] || damaged manifest.json "is not whole"
    first=$(printf '%s\n%s\n' "$listed" "$found" | LC_ALL=C sort | uniq -u | head -n 1)
    path=${first%\": *}
    [ -f "$here/$path" ] || damaged "$path" "is gone"
    case "
$listed" in
    *"
$path\": "*) damaged "$path" "does not have the size that it was made with" ;;
    *) fail "'$here/$path' does not belong to this folder. Remove it; your own files may lie beside 'runtime'." ;;
    esac
fi
for program in python bin/python3; do
    [ -x "$here/runtime/$program" ] ||
        fail "'$here/runtime/$program' may not be executed. Unpack the archive on this machine, where programs may be run."
done

if [ "${1-}" = --check ]; then
    told=$(cd -- "$here" && sed -n 's/^  "\(.*\)": {.* "sha256": "\(.*\)"}.*/\2  \1/p' manifest.json |
        LC_ALL=C sha256sum --check --strict 2>&1) || {
        changed=$(printf '%s\n' "$told" | grep -v ': OK$' | head -n 1)
        case $changed in
        *": FAILED"*) damaged "${changed%%: FAILED*}" "was changed" ;;
        *) damaged manifest.json "was changed" ;;
        esac
    }
    count=$(($(printf '%s\n' "$listed" | wc -l) - 1))
    [ "$(printf '%s\n' "$told" | wc -l)" = "$count" ] || damaged manifest.json "was changed"
    echo "Every file is as it was made: $count files."
    exit 0
fi
PATH=$path_before
exec "$here/runtime/python" "$here/runtime/human-pose" "$@"
