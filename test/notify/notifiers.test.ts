// Conversations with PagerDuty, Grafana and a chat as their documentation has them: the other side is a stand-in at the
// network's boundary, the requests are real. Alertmanager runs for real in alertmanager.tools.test.ts.
import { describe, expect, test } from '@jest/globals';
import { notifiers } from '../../src/notify/notifiers.ts';
import { type Reply, type Said, conversing, listeningHost, moment } from './conversation.ts';

const ROUTING_KEY = '0123456789abcdef0123456789abcdef';
const taken = (): Reply => ({ status: 202, body: { status: 'success', message: 'Event processed' } });

describe('PagerDuty', () => {
  test('gets a change event of start, promotion and take-back, with the run beside it', async () => {
    await conversing(taken, async (url, said) => {
      const { host, masked } = listeningHost();
      const notifier = notifiers({ pagerDuty: { url, routingKey: ROUTING_KEY } }, host);
      expect(masked).toContain(ROUTING_KEY);
      for (const kind of ['started', 'resumed', 'promoted', 'stopped'] as const) await notifier.tell(moment(kind));
      expect(said.map((one) => one.url)).toEqual(['/v2/change/enqueue', '/v2/change/enqueue']);
      expect(said[0]?.body).toEqual({
        routing_key: ROUTING_KEY,
        payload: {
          summary: 'shop/tracking-api: The canary gets 5 % of the requests.',
          source: 'shop/tracking-api',
          timestamp: '2026-11-25T03:20:00.000Z',
          custom_details: {
            namespace: 'shop',
            workload: 'tracking-api',
            version: 'v1.4.2',
            environment: 'production',
          },
        },
        links: [{ href: 'https://github.com/acme/shop/actions/runs/7', text: 'The run' }],
      });
    });
  });

  test('gets one incident however often the take-back fails, resolved by the one that works', async () => {
    await conversing(taken, async (url, said) => {
      const { host } = listeningHost();
      const notifier = notifiers({ pagerDuty: { url, routingKey: ROUTING_KEY } }, host);
      await notifier.tell(moment('take-back-failed'));
      await notifier.tell(moment('take-back-failed', { startedAt: 7, version: 'v1.4.3' }));
      await notifier.tell(moment('taken-back'));
      const events = said.filter((one) => one.url === '/v2/enqueue').map(({ body }) => body as Record<string, unknown>);
      expect(events.map((one) => one['event_action'])).toEqual(['trigger', 'trigger', 'resolve']);
      expect(new Set(events.map((one) => one['dedup_key'])).size).toBe(1);
      expect(events[0]).toMatchObject({ payload: { severity: 'critical', component: 'tracking-api' } });
      await notifier.tell(moment('take-back-failed', { namespace: 'billing' }));
      expect(said.at(-1)?.body).not.toMatchObject({ dedup_key: events[0]?.['dedup_key'] });
    });
  });

  test('that refuses is one warning with its words, without the key', async () => {
    const body = { status: 'invalid event', errors: [`'routing_key' ${ROUTING_KEY} is not known`] };
    await conversing(
      () => ({ status: 400, body }),
      async (url) => {
        const { host, warnings } = listeningHost();
        await notifiers({ pagerDuty: { url, routingKey: ROUTING_KEY } }, host).tell(moment('promoted'));
        expect(warnings).toEqual([
          'PagerDuty was not told that the canary was promoted: it answered 400: {"status":"invalid event","errors":["\'routing_key\' *** is not known"]}',
        ]);
      },
    );
  });
});

describe('Grafana', () => {
  /** Keeps annotations as Grafana does: found by time and all tags. */
  const kept = () => {
    const all: Record<string, unknown>[] = [];
    const reply = ({ method, url, body }: Said): Reply => {
      const { pathname, searchParams } = new URL(url, 'http://grafana');
      if (method === 'POST')
        return { status: 200, body: { id: all.push({ id: all.length + 1, ...(body as object) }) } };
      if (method === 'PATCH') {
        Object.assign(all[Number(pathname.split('/').at(-1)) - 1] ?? {}, body);
        return { status: 200, body: { message: 'Annotation patched' } };
      }
      const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))];
      const tags = searchParams.getAll('tags');
      const found = all.filter(
        (one) =>
          Number(one['time']) <= to &&
          Number(one['timeEnd'] ?? one['time']) >= from &&
          tags.every((tag) => (one['tags'] as string[]).includes(tag)),
      );
      return { status: 200, body: found };
    };
    return { all, reply };
  };

  test('shows one region from the start to the end, also when another run goes on with it', async () => {
    const { all, reply } = kept();
    await conversing(reply, async (url, said) => {
      const settings = { grafana: { url: `${url}/grafana/`, token: 'glsa_x', dashboardUid: 'api' } };
      await notifiers(settings, listeningHost().host).tell(moment('started'));
      const later = notifiers(settings, listeningHost().host);
      await later.tell(moment('resumed'));
      await later.tell(moment('taken-back', { text: '3 % errors <b>' }));
      expect(all).toEqual([
        {
          id: 1,
          dashboardUID: 'api',
          time: moment('started').startedAt,
          timeEnd: moment('started').at,
          tags: ['canary', 'shop/tracking-api'],
          text: 'tracking-api v1.4.2: 3 % errors &lt;b&gt; <a href="https://github.com/acme/shop/actions/runs/7">The run</a>',
        },
      ]);
      expect(said.every(({ url: path }) => path.startsWith('/grafana/api/annotations'))).toBe(true);
      expect(new Set(said.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer glsa_x']));
    });
  });

  test('gets a whole region at the end of a canary that it never heard of', async () => {
    const { all, reply } = kept();
    await conversing(reply, async (url) => {
      await notifiers({ grafana: { url, token: 't' } }, listeningHost().host).tell(moment('promoted'));
      expect(all).toMatchObject([{ time: moment('promoted').startedAt, timeEnd: moment('promoted').at }]);
    });
  });
});

describe("a chat's webhook", () => {
  const hook = '/services/T000/B000/XXXXXXXXXXXX';

  test("gets text that is escaped by Slack's rules and calls nobody", async () => {
    await conversing(
      () => ({ status: 200, body: 'ok' }),
      async (url, said) => {
        const notifier = notifiers({ webhook: { url: url + hook } }, listeningHost().host);
        await notifier.tell(moment('taken-back', { text: '<!channel> a & b > c, @here' }));
        await notifier.tell(moment('resumed'));
        expect(said).toHaveLength(1);
        expect(said[0]?.body).toEqual({
          text: 'Taken back: shop/tracking-api v1.4.2 (production)\n&lt;!channel&gt; a &amp; b &gt; c, @\u200bhere\n<https://github.com/acme/shop/actions/runs/7|The run>',
        });
      },
    );
  });

  test.each([
    [{ status: 404, body: 'no_service' }, 'it answered 404: no_service'],
    [{ status: 302, body: `moved to ${hook}` }, 'it answered 302 → give the address that it redirects to'],
    [
      { status: 410, body: `gone: ${hook}` },
      'it answered 410 → check the address, and that what it names still exists',
    ],
  ])('whose address is wrong is told without it: %j', async (reply, words) => {
    await conversing(
      () => reply,
      async (url) => {
        const { host, warnings, masked } = listeningHost();
        await notifiers({ webhook: { url: url + hook } }, host).tell(moment('started'));
        expect(masked).toEqual(expect.arrayContaining([url + hook, hook]));
        expect(warnings).toEqual([`The webhook was not told that the canary goes on: ${words}`]);
      },
    );
  });

  test('that no server can be reached at never shows its address', async () => {
    const { host, warnings } = listeningHost();
    await notifiers({ webhook: { url: `http://user:pass@127.0.0.1:1${hook}` } }, host).tell(moment('started'));
    await notifiers({ webhook: { url: `http://127.0.0.1:1${hook}` } }, host).tell(moment('promoted'));
    expect(warnings).toHaveLength(2);
    expect(warnings.join('\n')).not.toMatch(/services|pass/);
  });
});

describe('who does not answer', () => {
  test('holds nobody up: the others are told at once, and all of it ends in 5 s', async () => {
    await conversing(
      ({ url }) => (url.startsWith('/slow') ? 'never' : { status: 200, body: 'ok' }),
      async (url, said) => {
        const { host, warnings } = listeningHost();
        const slow = `${url}/slow`;
        const settings = {
          pagerDuty: { url: slow, routingKey: ROUTING_KEY },
          grafana: { url: slow, token: 'glsa_x' },
          alertmanager: { url: slow, secrets: [] },
          webhook: { url: `${url}/hook` },
        };
        const began = Date.now();
        await notifiers(settings, host).tell(moment('take-back-failed'));
        expect(Date.now() - began).toBeLessThan(6000);
        expect(said.filter((one) => one.url === '/hook')).toHaveLength(1);
        expect(warnings).toHaveLength(3);
        expect(warnings[0]).toContain('it cannot be reached: no answer within 2 s');
      },
    );
  });

  test('keeps a cancelled run for 2.5 s at most, and a start that is no longer wanted not at all', async () => {
    await conversing(
      () => 'never',
      async (url) => {
        const cancel = new AbortController();
        const { host, warnings } = listeningHost(cancel);
        const notifier = notifiers({ webhook: { url } }, host);
        const starting = notifier.tell(moment('started'));
        cancel.abort(new Error('cancelled by SIGTERM'));
        const began = Date.now();
        await starting;
        expect(Date.now() - began).toBeLessThan(300);
        await notifier.tell(moment('taken-back'));
        expect(Date.now() - began).toBeLessThan(3200);
        expect(warnings).toEqual(['The webhook was not told that the canary was taken back: no answer in time']);
      },
    );
  });

  test('is warned of once, however often the canary goes on', async () => {
    await conversing(
      () => ({ status: 403 }),
      async (url) => {
        const { host, warnings, time } = listeningHost();
        const notifier = notifiers({ alertmanager: { url, secrets: [] } }, host);
        await notifier.tell(moment('started'));
        for (let look = 0; look < 3; look += 1) {
          time.moved += 5 * 60_000;
          notifier.goesOn();
        }
        await notifier.tell(moment('promoted'));
        expect(warnings).toHaveLength(2);
      },
    );
  });
});
