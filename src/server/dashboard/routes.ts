/**
 * The paths of the dashboard. The page and its files are open, for a browser asks for them without a token; what they show
 * needs it as everything else does.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Asset, assets, bytesOf, PAGE } from './assets.js';
import { Feed, MAX_VIEWERS } from './feed.js';
import { Reporter, type Sources } from './reporter.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the path needs no token. */
    isOpen?: boolean;
  }
}

/** The page runs its own files alone, and talks to this server alone. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
};

/** The longest name of a stream that is looked for. */
const MAX_ID = 250;

/** Adds the paths of the dashboard to a server. */
export function dashboardRoutes(app: FastifyInstance, sources: Sources): void {
  const reporter = new Reporter(sources);
  const feed = new Feed(reporter);
  app.addHook('preClose', async () => feed.end());

  const open = { config: { isOpen: true } };
  app.get('/dashboard', open, (_request, reply) => give(reply, PAGE));
  app.get('/dashboard/', open, (_request, reply) => reply.redirect('../dashboard', 308));
  for (const [name, asset] of assets()) app.get(`/dashboard/${name}`, open, (_request, reply) => give(reply, asset));

  app.get('/dashboard/state', (request, reply) =>
    reply
      .headers({ 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' })
      .send(reporter.moment()(streamOf(request))),
  );
  app.get('/dashboard/feed', (request, reply) => {
    if (feed.isFull) {
      const error = `Expected at most ${MAX_VIEWERS} viewers at a time, got one more`;
      return reply.code(503).header('retry-after', 10).send({ error });
    }
    feed.join(reply.raw, streamOf(request));
    return reply.hijack();
  });
}

async function give(reply: FastifyReply, asset: Asset): Promise<FastifyReply> {
  const bytes = await bytesOf(asset);
  return reply.headers({ ...HEADERS, 'content-type': asset.type }).send(bytes);
}

/** The stream that is asked for; undefined for none. */
function streamOf({ query }: FastifyRequest): string | undefined {
  const { stream } = query as { stream?: unknown };
  return typeof stream === 'string' && stream.length <= MAX_ID ? stream : undefined;
}
