# Commands of docs/guides/operations.md, from the folder of the project. Needs curl and openssl.
set -euo pipefail
main="$PWD/dist/src/cli/main.js"
quantlane() { exec node "$main" "$@"; }
folder="$(mktemp -d)"
server=
trap 'rm -rf "$folder"; [ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT
cd "$folder"
# A port that is free.
PORT="$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')"

# #region secrets
openssl rand -hex 32 >token
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout key.pem -out cert.pem 2>/dev/null
chmod 600 token key.pem
# #endregion

# #region start
quantlane serve --port "$PORT" --token-file token --cert cert.pem --key key.pem \
  --max-tensor 16MiB --max-pending 64 --timeout 5000 --memory 128MiB &
server=$!
# #endregion

# #region ready
until curl -sf --cacert cert.pem "https://localhost:$PORT/v2/health/ready"; do sleep 0.2; done
echo
# #endregion

# #region infer
curl -sS --cacert cert.pem -H "Authorization: Bearer $(cat token)" \
  -d '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[127,-1.5,0.4,64]}]}' \
  "https://localhost:$PORT/v2/models/vllm-int8-per-token/infer"
echo
curl -s -o /dev/null -w '%{http_code} without the token\n' --cacert cert.pem "https://localhost:$PORT/v2"
# #endregion

# #region stop
kill -TERM "$server" # takes no new requests, answers those in work
wait "$server" && echo "ended with code 0"
# #endregion
