# Commands of docs/guides/hosts.md, from the folder of the project. Needs nats-server and openssl.
set -euo pipefail
project="$PWD"
folder="$(mktemp -d)"
trap 'kill -KILL $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$folder"' EXIT
cd "$folder"
# A command that a shell can be replaced by, so that signals reach it.
printf '#!/bin/sh\nexec node "%s/dist/src/cli/main.js" "$@"\n' "$project" >quantlane
chmod 755 quantlane
PATH="$folder:$PATH"
# A port that is free.
PORT="$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')"
export PORT
# Until a file has a line, for at most 30 s.
has() { for _ in {1..300}; do if grep -qs "$1" "$2"; then return; fi; sleep 0.1; done; cat "$2" >&2; return 1; }

# #region server
openssl rand -hex 24 >host.password
openssl rand -hex 24 >sender.password
cat >nats.conf <<END
listen: "127.0.0.1:$PORT"
max_payload: 8MB # what one message holds
jetstream { store_dir: "$PWD/store", max_file_store: 4GB }
authorization {
  users: [
    { user: host, password: "$(cat host.password)", permissions: {
      publish: ["\$JS.API.>", "\$JS.ACK.>", "quantlane.results.>", "quantlane.parts.>"], subscribe: "_INBOX.>" } }
    { user: sender, password: "$(cat sender.password)", permissions: {
      publish: ["\$JS.API.>", "\$JS.ACK.>", "quantlane.work.>", "quantlane.parts.>"], subscribe: "_INBOX.>" } }
  ]
}
END
chmod 600 nats.conf host.password sender.password
nats-server --config nats.conf --log nats.log &
# #endregion
server=$!
has 'Server is ready' nats.log

# #region hosts
host() {
  exec quantlane node --servers "nats://127.0.0.1:$PORT" --user host --password-file host.password \
    --name "$1" --lanes 1 --memory 128MiB --credits 8 --max-tensor 16MiB --ack-wait 5000 --json \
    >"$1.json" 2>"$1.log"
}
host alpha & alpha=$!
host beta & beta=$!
# #endregion
has 'takes batches' alpha.log
has 'takes batches' beta.log
cat alpha.log beta.log

node "$project/dist/examples/guides/hosts.js" >producer.out 2>producer.log &
producer=$!
has 'first result' producer.out

# #region rolling
kill -TERM "$alpha" # asks for no more, works off what it has in hand
wait "$alpha" && echo "alpha ended with code 0"
host gamma & gamma=$! # in its place
has 'takes batches' gamma.log
kill -TERM "$beta"
wait "$beta" && echo "beta ended with code 0"
host delta & delta=$!
# #endregion
has 'takes batches' delta.log

kill -TERM "$producer"
wait "$producer"
cat producer.out
kill -TERM "$gamma" "$delta"
wait "$gamma" "$delta"
node -p '
  const hosts = ["alpha", "beta", "gamma", "delta"].map((name) => JSON.parse(fs.readFileSync(`${name}.json`)));
  const sum = (what) => hosts.reduce((total, host) => total + host[what], 0);
  const sent = Number(/sent (\d+)/.exec(fs.readFileSync("producer.log"))[1]);
  `each batch was done once: ${sum("done") === sent}, by each host some: ${hosts.every(({ done }) => done > 0)}; ` +
    `${sum("failed")} failed, ${sum("redelivered")} redelivered`'
kill -TERM "$server"
wait "$server" || true
