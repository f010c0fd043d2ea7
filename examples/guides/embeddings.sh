# Commands of docs/guides/embeddings.md, from the folder of the project.
set -euo pipefail
main="$PWD/dist/src/cli/main.js"
embeddings="$PWD/node_modules/@sap-ux/fiori-docs-embeddings/data/embeddings/embeddings.bin"
# What calibrate and quantize print is long, and speeds are never the same twice.
quantlane() {
  if [ "$1" = compare ]; then node "$main" "$@"; else node "$main" "$@" >/dev/null; fi
}
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# The header of .npy, 128 bytes, then the float32 of the package.
head="{'descr': '<f4', 'fortran_order': False, 'shape': (778, 384), }"
{ printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$head"; cat "$embeddings"; } >vectors.npy
head="{'descr': '<f4', 'fortran_order': False, 'shape': (512, 384), }"
{ printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$head"; head -c $((512 * 384 * 4)) "$embeddings"; } >sample.npy

# #region files
quantlane calibrate sample.npy --as vectors --preset st-int8 --method minmax --out ranges.json
quantlane quantize vectors.npy --preset st-int8 --calibration ranges.json --out codes.safetensors
quantlane quantize vectors.npy --preset st-ubinary --out bits.safetensors
quantlane compare vectors.npy codes.safetensors
# #endregion
