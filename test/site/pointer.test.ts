import { describe, expect, test } from '@jest/globals';
import { LostClaim, claimPointer, historyWith, isClaimed, isNewer, readPointer } from '../../src/site/pointer.ts';
import type { Bucket } from '../../src/aws/s3.ts';
import { layoutOf } from '../../src/site/release.ts';
import { memoryBucket } from './memory-bucket.ts';

const layout = layoutOf('shop/');
const [one, two] = ['20261124-093000-0123456-ab12cd', '20261124-103000-0123456-ab12cd'] as const;

/** A clock that stands until it is moved. */
function standing() {
  let time = 1_000_000;
  return { now: () => time, sleep: async () => undefined, move: (ms: number) => void (time += ms) };
}

describe('of two deploys that read the same pointer', () => {
  test('one claims it, and the other is told that it has changed', async () => {
    const [bucket, clock] = [memoryBucket(), standing()];
    const held = await readPointer(bucket, layout, false);
    const first = await claimPointer(bucket, layout, { held, release: one, run: '1', clock });
    const second = await claimPointer(bucket, layout, { held, release: two, run: '2', clock });
    expect([first, second]).toEqual([expect.anything(), undefined]);
    const meanwhile = await readPointer(bucket, layout, true);
    expect(isClaimed(meanwhile.pointer, clock.now())).toBe(true);

    await first?.finish();
    const after = await readPointer(bucket, layout, true);
    expect(after.pointer).toEqual({ run: '1', history: [{ release: one, since: clock.now() }] });
    expect(await claimPointer(bucket, layout, { held: meanwhile, release: two, run: '2', clock })).toBeUndefined();
    expect(await claimPointer(bucket, layout, { held: after, release: two, run: '2', clock })).toBeDefined();
  });

  test('a claim that nobody renews runs out, and its late owner changes nothing', async () => {
    const [bucket, clock] = [memoryBucket(), standing()];
    const dead = await claimPointer(bucket, layout, {
      held: await readPointer(bucket, layout, false),
      release: one,
      run: '1',
      clock,
    });
    clock.move(91_000);
    const held = await readPointer(bucket, layout, true);
    expect(isClaimed(held.pointer, clock.now())).toBe(false);
    const next = await claimPointer(bucket, layout, { held, release: two, run: '2', clock });
    await expect(dead?.hold()).rejects.toThrow(LostClaim);
    await expect(dead?.finish()).rejects.toThrow(LostClaim);
    await dead?.giveBack();
    await next?.finish();
    expect((await readPointer(bucket, layout, true)).pointer.history[0]?.release).toBe(two);
  });

  test('a claim is renewed by one write, however many files are copied at once', async () => {
    const [bucket, clock] = [memoryBucket(), standing()];
    // Each look at the clock is a little later, so that no two renewals say the same.
    const now = (): number => (clock.move(1), clock.now());
    const ticking = await claimPointer(bucket, layout, {
      held: await readPointer(bucket, layout, false),
      release: one,
      run: '1',
      clock: { ...clock, now },
    });
    clock.move(30_000);
    await Promise.all(Array.from({ length: 32 }, async () => ticking?.hold()));
    expect((await readPointer(bucket, layout, true)).pointer.claim?.at).toBeGreaterThan(1_030_000);
    await ticking?.finish();
  });

  test('a write whose answer was lost is known again', async () => {
    const [bucket, clock] = [memoryBucket(), standing()];
    // S3 has taken it, and refuses the same write when it is sent again.
    const lossy = {
      ...bucket,
      writeIf: async (...given: Parameters<Bucket['writeIf']>) => (await bucket.writeIf(...given), undefined),
    };
    const held = await readPointer(bucket, layout, false);
    const claim = await claimPointer(lossy, layout, { held, release: one, run: '1', clock });
    await claim?.finish();
    expect((await readPointer(bucket, layout, true)).pointer.history).toHaveLength(1);
  });
});

test.each([
  ['10', '9', '1', true],
  ['9', '10', '1', false],
  ['10', '10', '', false],
  ['', '5', '', false],
  ['x', '5', '', false],
  ['1', '99999999999999999998', '99999999999999999999', true],
])('a pointer of run %j is newer than %j beside a claim of %j: %j', (last, run, claimed, newer) => {
  const claim = { by: '', run: claimed, release: one, at: 0 };
  expect(isNewer({ run: last, history: [], ...(claimed.length > 1 && { claim }) }, run)).toBe(newer);
});

test('the history says how long each release was served', () => {
  const first = historyWith([], one, 10);
  const second = historyWith(first, two, 20);
  expect(second).toEqual([
    { release: two, since: 20 },
    { release: one, since: 10, until: 20 },
  ]);
  expect(historyWith(second, two, 30)).toBe(second);
  expect(historyWith(second, one, 40)[0]).toEqual({ release: one, since: 40 });
});

test.each(['', '[]', '{"version":2}', '{"version":1,"run":"1","history":[{"release":"../x","since":1}]}'])(
  'a pointer that somebody else wrote (%j) is refused',
  async (text) => {
    const bucket = memoryBucket();
    bucket.objects.set(layout.pointer, Buffer.from(text));
    await expect(readPointer(bucket, layout, true)).rejects.toThrow('is not what deploy-web wrote');
  },
);
