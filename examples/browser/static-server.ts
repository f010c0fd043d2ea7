/**
 * A static server on loopback, with or without the headers that isolate a page from other origins.
 * @module
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is served, and how. */
export interface ServerOptions {
  /** Folders, which end in `/`, or files, by the paths that they are served under. */
  readonly routes: Readonly<Record<string, URL>>;
  /** Whether pages are cross-origin isolated, so that they may share memory with workers. */
  readonly isIsolated: boolean;
  /** Default: any that is free. */
  readonly port?: number;
}

/** A server that listens. */
export interface StaticServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

/** What a page must say to be isolated: it shares its browsing context with no other origin, and loads nothing of one unasked. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** Listens on loopback. */
export async function listen({ routes, isIsolated, port = 0 }: ServerOptions): Promise<StaticServer> {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(isIsolated ? ISOLATION : {})) response.setHeader(name, value);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    send(fileOf(routes, pathname), response).catch((error: NodeJS.ErrnoException) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(error.code === 'ENOENT' ? 404 : 500, { 'Content-Type': 'text/plain' }).end('Not found\n');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** The file of a path, by its longest route; undefined where there is none, or the path leads out of it. */
function fileOf(routes: ServerOptions['routes'], pathname: string): URL | undefined {
  const fits = ([route, to]: [string, URL]) => (isFolder(to) ? pathname.startsWith(route) : pathname === route);
  const [longest] = Object.entries(routes)
    .filter(fits)
    .sort(([a], [b]) => b.length - a.length);
  if (longest === undefined) return undefined;
  const [route, to] = longest;
  const file = isFolder(to) ? new URL(`./${pathname.slice(route.length)}`, to) : to;
  return file.href.startsWith(to.href) && !/%2f|%5c/i.test(file.href) ? file : undefined;
}

function isFolder(url: URL): boolean {
  return url.href.endsWith('/');
}

async function send(file: URL | undefined, response: ServerResponse): Promise<void> {
  const path = file === undefined ? undefined : fileURLToPath(file);
  const facts = path === undefined ? undefined : await stat(path);
  if (path === undefined || !facts?.isFile()) throw Object.assign(new Error('No file'), { code: 'ENOENT' });
  response.writeHead(200, {
    'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
    'Content-Length': facts.size,
    'Cache-Control': 'no-cache',
  });
  createReadStream(path)
    .on('error', () => response.destroy())
    .pipe(response);
}
