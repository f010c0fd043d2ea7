# Commands of docs/guides/calibration.md, from the folder of the project.
set -euo pipefail
main="$PWD/dist/src/cli/main.js"
# What calibrate and quantize print is long, and speeds are never the same twice.
quantlane() {
  if [ "$1" = compare ]; then node "$main" "$@"; else node "$main" "$@" >/dev/null; fi
}
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cp examples/activations.safetensors "$folder/sample.safetensors"
cp examples/activations.safetensors "$folder/traffic.safetensors"
cd "$folder"

# #region calibrate
quantlane calibrate sample.safetensors --preset onnx-static --dtype int8 \
  --method percentile --percentile 99.99 --out ranges.json
# #endregion
# #region quantize
quantlane quantize traffic.safetensors --preset onnx-static --dtype int8 \
  --calibration ranges.json --out codes.safetensors
quantlane compare traffic.safetensors codes.safetensors | tail -n 2
# #endregion
