import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Markdown } from '../../src/action/markdown.ts';
import { type StickyComment, fitted, writeComment } from '../../src/github/comments.ts';
import { serving } from '../aws/server.ts';
import { githubAnswers } from '../lab/parts/github-answers.ts';
import { type Answer, type Asked, json, serve } from '../lab/parts/stand-in.ts';

const COMMENTS = '/repos/acme/shop/issues/12/comments';
const comment = (body: string, more: Partial<StickyComment> = {}): StickyComment => ({
  token: 'ghs_x',
  pullRequest: { number: 12, isFork: false },
  subject: 'migrate-db db/migrations',
  body: body as Markdown,
  ...more,
});

function hostAt(apiUrl: string) {
  const slept: number[] = [];
  const clock = { now: () => 0, sleep: async (ms: number) => void slept.push(ms) };
  const info = { apiUrl, repository: 'acme/shop' };
  return { slept, host: { info, clock, signal: new AbortController().signal } as Parameters<typeof writeComment>[1] };
}

describe("GitHub's own rules, as its description has them", () => {
  const answers = githubAnswers('ghs_x');
  const asked: string[] = [];
  let before: (one: Asked) => Answer | undefined = () => undefined;
  let server: Server;
  let host: Parameters<typeof writeComment>[1];

  beforeEach(async () => {
    server = serve(0, {
      name: ({ method, url }) => `${method} ${url.pathname}`,
      answer(one) {
        asked.push(`${one.method} ${one.url.pathname}`);
        return before(one) ?? answers(one);
      },
      faults: {},
      settings: {},
    });
    await new Promise((resolve) => void server.once('listening', resolve));
    ({ host } = hostAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    asked.length = 0;
    before = () => undefined;
  });
  afterEach(() => void server.close());

  const kept = (): readonly { readonly body: string }[] => {
    const headers = { authorization: 'Bearer ghs_x' };
    return JSON.parse(answers({ method: 'GET', url: new URL(`http://lab${COMMENTS}`), headers, body: '' }).body) as [];
  };

  test('one comment is written, renewed by the next run, and left alone where nothing changed', async () => {
    expect(await writeComment(comment('nothing yet', { onlyRenew: true }), host)).toBe('absent');
    expect(await writeComment(comment('dangerous'), host)).toBe('created');
    expect(await writeComment(comment('safe'), host)).toBe('renewed');
    expect(await writeComment(comment('safe'), host)).toBe('unchanged');
    expect(await writeComment(comment('another', { subject: 'migrate-db billing' }), host)).toBe('created');
    expect(kept().map(({ body }) => body)).toEqual([
      '<!-- delivery-actions migrate-db-billing -->\nanother',
      '<!-- delivery-actions migrate-db-db/migrations -->\nsafe',
    ]);
    expect(asked.filter((one) => one.startsWith('POST'))).toHaveLength(2);
  });

  test('a comment that GitHub wrote, and could not answer for, is not written twice', async () => {
    let lost = false;
    before = (one) => {
      if (one.method !== 'POST' || lost) return undefined;
      lost = true;
      answers(one);
      return json(502, { message: 'Server Error' });
    };
    const subject = 'lost-answer';
    expect(await writeComment(comment('only once', { subject }), host)).toBe('unchanged');
    expect(kept().filter(({ body }) => body.includes('only once'))).toHaveLength(1);
  });
});

describe('a comment', () => {
  const ofPerson = { id: 7, body: '<!-- delivery-actions migrate-db-db/migrations -->\nmine', user: { type: 'User' } };

  test('of a person is never replaced, even with the marker in it', async () => {
    await serving(
      [
        { status: 200, body: JSON.stringify([ofPerson]) },
        { status: 201, body: '{}' },
      ],
      async (url, asked) => {
        expect(await writeComment(comment('danger'), hostAt(url).host)).toBe('created');
        expect(asked.at(-1)).toMatchObject({ method: 'POST', url: COMMENTS });
      },
    );
  });

  test('is found on a later page', async () => {
    const full = JSON.stringify(Array.from({ length: 100 }, () => ofPerson));
    const mine = JSON.stringify([{ ...ofPerson, id: 8, user: { type: 'Bot' } }]);
    await serving(
      [full, mine, '{}'].map((body) => ({ status: 200, body })),
      async (url, asked) => {
        expect(await writeComment(comment('danger'), hostAt(url).host)).toBe('renewed');
        expect(asked.at(-1)).toMatchObject({ method: 'PATCH', url: '/repos/acme/shop/issues/comments/8' });
      },
    );
  });

  test.each([
    [false, 'pull-requests: write'],
    [true, 'from a fork may not comment'],
  ])('that may not be written (fork: %s) says why', async (isFork, why) => {
    await serving(
      [
        { status: 200, body: '[]' },
        { status: 403, body: '{}' },
      ],
      async (url) => {
        const written = await writeComment(comment('x', { pullRequest: { number: 12, isFork } }), hostAt(url).host);
        expect(written).toEqual({ refused: expect.stringContaining(why) });
      },
    );
  });

  test('waits as long as a secondary limit asks for', async () => {
    const limited = { status: 403, body: '{}', headers: { 'retry-after': '7' } };
    const none = { status: 200, body: '[]' };
    await serving([none, limited, none, { status: 201, body: '{}' }], async (url) => {
      const { host, slept } = hostAt(url);
      expect(await writeComment(comment('x'), host)).toBe('created');
      expect(slept).toEqual([7000]);
    });
  });

  test('is refused in words where GitHub is not there', async () => {
    const { host } = hostAt('http://127.0.0.1:1');
    expect(await writeComment(comment('x'), host)).toEqual({ refused: expect.stringContaining('cannot be reached') });
  });
});

describe('a text that is too long for a comment', () => {
  const head = '### Verdict\n\nWhy.';
  const long = 'x'.repeat(90);

  test('is cut where neither code nor a folded section is open', () => {
    const code = `${head}\n\n\`\`\`sql\n${`${long}\n`.repeat(20)}\`\`\`\n\nEnd.`;
    expect(fitted(code, 400)).toBe(`${head}\n\n*The rest is on the summary page of the run.*`);
    const folded = `${head}\n\n<details><summary>all</summary>\n\n${`${long}\n\n`.repeat(20)}</details>\n\nEnd.`;
    expect(fitted(folded, 400)).toBe(`${head}\n\n*The rest is on the summary page of the run.*`);
    expect(fitted(code, 400).length).toBeLessThanOrEqual(400);
  });

  test('keeps all that fits', () => {
    const text = `${long}\n\n`.repeat(20);
    const cut = fitted(text, 1000);
    expect(cut.length).toBeLessThanOrEqual(1000);
    expect(cut.split(long)).toHaveLength(11);
    expect(fitted('short', 1000)).toBe('short');
  });

  test('is no longer than GitHub takes, with the marker', async () => {
    await serving(
      [
        { status: 200, body: '[]' },
        { status: 201, body: '{}' },
      ],
      async (url, asked) => {
        await writeComment(comment('a line\n\n'.repeat(20_000)), hostAt(url).host);
        const { body } = JSON.parse(asked[1]?.body ?? '') as { body: string };
        expect(body.length).toBeLessThanOrEqual(65_536);
        expect(body.length).toBeGreaterThan(65_000);
      },
    );
  });
});
