import { describe, expect, test } from '@jest/globals';
import type { Release, ReleasedFile } from '../../src/site/release.ts';
import { idsIn, layoutOf, readRelease, releaseId, timeOf, writeRelease } from '../../src/site/release.ts';
import { garbageOf, nextToGo, retentionOf } from '../../src/site/retention.ts';

const layout = layoutOf('');
const DAY = 86_400_000;
const now = Date.UTC(2026, 10, 24);
const idAt = (daysAgo: number): string => releaseId(now - daysAgo * DAY, 'abcdef0', `${daysAgo}aaaaaaaa`);

describe('a release stays', () => {
  const [served, before, old, older] = [idAt(1), idAt(40), idAt(50), idAt(60)] as const;
  const history = [
    { release: served, since: now - DAY },
    { release: before, since: now - 40 * DAY, until: now - 35 * DAY },
    { release: old, since: now - 50 * DAY, until: now - 40 * DAY },
    { release: older, since: now - 60 * DAY, until: now - 50 * DAY },
  ];
  const known = [older, old, before, served];

  test('while it is served, while its time lasts, and as the one before', () => {
    expect(retentionOf(known, history, now, 30 * DAY)).toEqual({ keep: [before, served], drop: [older, old] });
    expect(retentionOf(known, history, now, 45 * DAY)).toEqual({ keep: [old, before, served], drop: [older] });
  });

  test('when it was served again lately', () => {
    const again = [{ release: older, since: now - 2 * DAY, until: now - DAY }, ...history.slice(1)];
    const back = [{ release: served, since: now - DAY }, ...again];
    expect(retentionOf(known, back, now, 30 * DAY).keep).toEqual([older, served]);
  });

  test('for a day when a job prepared it and never brought it in', () => {
    const [fresh, abandoned] = [releaseId(now - 1000, 'x', 'ffffff'), idAt(3)];
    const { keep, drop } = retentionOf([abandoned, served, fresh], history.slice(0, 1), now, 30 * DAY);
    expect({ keep, drop }).toEqual({ keep: [served, fresh], drop: [abandoned] });
  });

  test('though so many came after it that the history has forgotten it', () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ release: served, since: now - i, until: now - i + 1 }));
    expect(retentionOf([idAt(20), idAt(40)], many, now, 30 * DAY)).toEqual({ keep: [idAt(20)], drop: [idAt(40)] });
  });

  test('and the summary knows until when', () => {
    expect(nextToGo(history, now, 45 * DAY)).toBe(now + 5 * DAY);
    // What has gone already, and what stays without end as the one before, has no such time.
    expect(nextToGo(history, now, 30 * DAY)).toBeUndefined();
    expect(nextToGo(history.slice(0, 1), now, 30 * DAY)).toBeUndefined();
    const again = [{ release: served, since: now }, { release: old, since: 0, until: now }, ...history.slice(2)];
    expect(nextToGo(again, now, 30 * DAY)).toBe(now + 30 * DAY);
  });
});

describe('what is deleted', () => {
  const file = (path: string, etag: string, id = etag): ReleasedFile => ({
    path,
    kind: 'asset',
    sha256: etag,
    bytes: 1,
    id: id.padStart(64, '0'),
    etag,
  });
  const release = (id: string, ...files: ReleasedFile[]): Release => ({
    id,
    at: 0,
    commit: '',
    run: '',
    content: '',
    files,
  });
  const listed = (entries: Readonly<Record<string, string>>) =>
    new Map(Object.entries(entries).map(([key, etag]) => [key, { etag, bytes: 1 }]));

  test('is what only dropped releases have and is still as it was put there', () => {
    const keep = [release(idAt(1), file('shared.js', 'a'), file('new.js', 'b'))];
    const drop = [
      release(idAt(9), file('shared.js', 'a'), file('old.js', 'c'), file('taken.js', 'd'), file('gone.js', 'e')),
    ];
    const there = listed({
      'shared.js': 'a',
      'new.js': 'b',
      'old.js': 'c',
      'taken.js': 'of somebody else',
      'theirs.js': 'x',
      [layout.stored(file('', 'c'))]: 'c',
    });
    expect(garbageOf({ keep, drop }, there, layout)).toEqual(['old.js', layout.stored(file('', 'c'))]);
  });

  test('is no name that a kept release uses with another content', () => {
    const keep = [release(idAt(1), file('index.html', 'new'))];
    const drop = [release(idAt(9), file('index.html', 'old'))];
    expect(garbageOf({ keep, drop }, listed({ 'index.html': 'old' }), layout)).toEqual([]);
  });
});

test('ids sort by time, tell it, and are told from other objects', () => {
  const id = releaseId(Date.UTC(2026, 10, 24, 9, 30), 'ABCDEF0123', 'ab12cd34');
  expect(id).toBe('20261124-093000-abcdef0-ab12cd');
  expect(timeOf(id)).toBe(Date.UTC(2026, 10, 24, 9, 30));
  const keys = [layout.release(id), layout.pointer, '.releases/files/abc', '.releases/x.json', 'index.html'];
  expect(idsIn(keys, layout)).toEqual([id]);
});

test('a release is read as it was written, and nothing else is', () => {
  const release: Release = { id: idAt(1), at: 1, commit: 'c', run: 'r', content: 'h', files: [] };
  expect(readRelease(writeRelease(release).toString(), 'k')).toEqual(release);
  for (const text of [
    '{',
    'null',
    '{"version":1}',
    '{"version":1,"id":"x","at":1,"commit":"","run":"","content":"","files":[{}]}',
  ]) {
    expect(() => readRelease(text, 'k')).toThrow('k in the bucket is not what deploy-web wrote');
  }
});
