// Against the emulator's RDS, with signatures and the role's policy checked.
import { beforeAll, afterEach, describe, expect, test } from '@jest/globals';
import { openRds } from '../../src/aws/rds.ts';
import { type Control, controlOf } from '../lab/control.ts';
import { openLab } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { assumeRole } from '../lab/session.ts';

let aws: NonNullable<LabFacts['aws']>;
let facts: LabFacts;
let control: Control;
beforeAll(async () => {
  facts = await openLab('aws');
  if (!facts.aws) throw new Error('the lab gave no AWS');
  aws = facts.aws;
  control = controlOf(aws.control);
}, 30 * 60_000);
afterEach(async () => control.set('policy', null));

async function open() {
  const keys = await assumeRole(facts);
  const credentials = async () => ({
    accessKeyId: keys.AWS_ACCESS_KEY_ID,
    secretAccessKey: keys.AWS_SECRET_ACCESS_KEY,
    sessionToken: keys.AWS_SESSION_TOKEN,
  });
  const clock = { now: () => Date.now(), sleep: async () => undefined };
  const host = { env: { AWS_ENDPOINT_URL: aws.endpoint }, signal: new AbortController().signal, clock };
  return openRds(credentials, aws.region, host);
}

describe('RDS of the lab', () => {
  test('says which database is not there', async () => {
    const rds = await open();
    await expect(rds.start({ kind: 'instance', name: 'nobody' }, 'one', {})).rejects.toThrow(
      `There is no RDS instance nobody in ${aws.region}`,
    );
    await expect(rds.start({ kind: 'cluster', name: 'nobody' }, 'one', {})).rejects.toThrow(
      `There is no RDS cluster nobody in ${aws.region}`,
    );
  });

  test('names the IAM action that the role lacks', async () => {
    const rds = await open();
    await control.set('policy', { Statement: [{ Effect: 'Allow', Action: 'rds:Describe*', Resource: '*' }] });
    await expect(rds.start({ kind: 'instance', name: 'orders' }, 'one', {})).rejects.toMatchObject({
      remedy: expect.stringContaining('rds:CreateDBSnapshot'),
    });
  });
});
