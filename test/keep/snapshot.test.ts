import { describe, expect, test } from '@jest/globals';
import type { Rds, Snapshot } from '../../src/aws/rds.ts';
import { openRds } from '../../src/aws/rds.ts';
import { parseSource, restoreCommand, snapshotName, takeSnapshot } from '../../src/keep/snapshot.ts';
import { type Answer, serving } from '../aws/server.ts';

const source = { kind: 'instance', name: 'orders' } as const;
const credentials = async () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' });
const signal = new AbortController().signal;

function clockOf(): { now: () => number; sleep: (ms: number) => Promise<void> } {
  let now = 1_700_000_000_000;
  return {
    now: () => now,
    async sleep(ms) {
      now += ms;
      await Promise.resolve();
    },
  };
}

const snapshot = (status: string, percent: number): Answer => ({
  status: 200,
  body: `<CreateDBSnapshotResponse><DBSnapshot><DBSnapshotArn>arn:aws:rds:eu-central-1:1:snapshot:x</DBSnapshotArn><Status>${status}</Status><PercentProgress>${percent}</PercentProgress></DBSnapshot></CreateDBSnapshotResponse>`,
});
const fault = (code: string, status = 400): Answer => ({
  status,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>because</Message></Error></ErrorResponse>`,
});

async function take(
  answers: readonly Answer[],
  timeout = 600_000,
): Promise<{ snapshot: Snapshot; lines: string[]; asked: string[] }> {
  return serving(answers, async (url, asked) => {
    const clock = clockOf();
    const rds: Rds = openRds(credentials, 'eu-central-1', { env: { AWS_ENDPOINT_URL_RDS: url }, signal, clock });
    const lines: string[] = [];
    const options = { timeout, clock, signal, onProgress: (line: string) => void lines.push(line) };
    const taken = await takeSnapshot(rds, source, 'orders-before', { run: '7' }, options);
    return { snapshot: taken, lines, asked: asked.map(({ body }) => body) };
  });
}

describe('a snapshot before a migration', () => {
  test('is awaited until it is whole, with its progress told once', async () => {
    const {
      snapshot: taken,
      lines,
      asked,
    } = await take([
      snapshot('creating', 0),
      snapshot('creating', 40),
      snapshot('creating', 40),
      snapshot('available', 100),
    ]);
    expect(taken.status).toBe('available');
    expect(lines).toEqual([
      'snapshot orders-before: creating, 0 %',
      'snapshot orders-before: creating, 40 %',
      'snapshot orders-before: available after 30 s',
    ]);
    expect(asked[0]).toContain('Action=CreateDBSnapshot');
    expect(asked[0]).toContain('Tags.Tag.1.Key=run');
    expect(asked[1]).toContain('Action=DescribeDBSnapshots');
  });

  test('that the run took before is that snapshot', async () => {
    const { asked } = await take([fault('DBSnapshotAlreadyExists'), snapshot('available', 100)]);
    expect(asked).toHaveLength(2);
  });

  test.each([
    [[fault('AccessDenied', 403)], /may not keep the RDS instance orders/],
    [[fault('DBInstanceNotFound', 404)], /There is no RDS instance orders in eu-central-1/],
    [[fault('InvalidDBInstanceState')], /takes no snapshot now/],
    [[snapshot('creating', 1), snapshot('failed', 1)], /came to nothing: RDS calls it failed/],
    [[snapshot('creating', 12)], /was at 12 % after 60 s/],
  ])('that does not come ends the run before anything is migrated (%#)', async (answers, words) => {
    await expect(take(answers, 60_000)).rejects.toThrow(words);
  });
});

test('the input names an instance or a cluster, and nothing else', () => {
  expect(parseSource('rds:orders-db')).toEqual({ kind: 'instance', name: 'orders-db' });
  expect(parseSource('rds-cluster:orders')).toEqual({ kind: 'cluster', name: 'orders' });
  for (const wrong of ['orders', 'rds:', 'rds:a--b', 'rds:-a', 'rds:a b', 's3:x']) {
    expect(() => parseSource(wrong)).toThrow('names neither');
  }
});

test('its name is that of the attempt, in the length that RDS takes', () => {
  expect(snapshotName(source, '12', '2')).toBe('orders-before-migration-12-2');
  expect(snapshotName({ kind: 'instance', name: 'x'.repeat(300) }, '12', '2')).toHaveLength(255);
});

test('the way back is a command for a database beside the one that is there', () => {
  const taken = { name: 'orders-before', arn: '', status: 'available', progress: 100, source };
  expect(restoreCommand(taken, 'eu-central-1')).toBe(
    'aws rds restore-db-instance-from-db-snapshot --region eu-central-1 --db-instance-identifier orders-restored --db-snapshot-identifier orders-before',
  );
});
