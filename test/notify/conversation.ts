import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Moment } from '../../src/notify/moment.ts';
import type { notifiers } from '../../src/notify/notifiers.ts';

export type NotifyHost = Parameters<typeof notifiers>[1];

export interface Said {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** What a service answers; `never` keeps the connection open and says nothing. */
export type Reply = 'never' | { readonly status: number; readonly body?: unknown };

export const moment = (kind: Moment['kind'], more: Partial<Moment> = {}): Moment => ({
  kind,
  workload: 'tracking-api',
  namespace: 'shop',
  environment: 'production',
  version: 'v1.4.2',
  text: 'The canary gets 5 % of the requests.',
  runUrl: 'https://github.com/acme/shop/actions/runs/7',
  startedAt: Date.UTC(2026, 10, 25, 3),
  at: Date.UTC(2026, 10, 25, 3, 20),
  canaryPods: 'tracking-api-canary-.*',
  ...more,
});

/** A host whose warnings, masks and clock a test can look at; its time is real where it is not moved. */
export function listeningHost(cancel = new AbortController()) {
  const warnings: string[] = [];
  const masked: string[] = [];
  const time = { moved: 0 };
  const quiet = (): void => undefined;
  const host: NotifyHost = {
    clock: {
      now: () => Date.now() + time.moved,
      sleep: async (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
    },
    signal: cancel.signal,
    log: {
      info: quiet,
      debug: quiet,
      error: quiet,
      notice: quiet,
      warning: (message) => void warnings.push(message),
      group: async (_, body) => body(),
    },
    mask: (secret) => void masked.push(secret),
    info: { repository: 'acme/shop' } as NotifyHost['info'],
  };
  return { host, warnings, masked, time };
}

/**
 * A service at the network's boundary: a real server on loopback that says what the real one's documentation says it
 * would, since PagerDuty, Slack and Grafana cannot be run here.
 */
export async function conversing(
  reply: (said: Said) => Reply,
  talk: (url: string, said: readonly Said[]) => Promise<void>,
): Promise<void> {
  const said: Said[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, authorization: headers.authorization, body: text === '' ? undefined : parsed(text) };
      said.push(one);
      const answer = reply(one);
      if (answer === 'never') return;
      const { status, body = '' } = answer;
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    await talk(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, said);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}
