import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bucket } from '../../src/aws/s3.ts';
import { type Control, controlOf } from '../lab/control.ts';
import { runJob } from '../lab/job.ts';
import { openLab } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { makeWebsite } from '../lab/website.ts';
import type { BundleRun } from '../run-bundle.ts';

/** A bucket with a distribution before it, and a project whose built site lies in dist/. */
export interface Web {
  readonly facts: LabFacts;
  readonly control: Control;
  readonly bucket: Bucket;
  readonly distribution: string;
  readonly workspace: string;
  /** Writes files of the built site in place of those before. */
  build(files: Readonly<Record<string, string | Buffer>>): void;
  /** Inputs and environment of a step that deploys it. */
  step(inputs?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Parameters<typeof runJob>[1];
  deploy(inputs?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Promise<BundleRun>;
  /** Environment of a run that an event started. */
  event(name: string, payload: object): Readonly<Record<string, string>>;
  /** The text of an object; undefined where there is none. */
  served(key: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export async function openWeb({ fallback = '' } = {}): Promise<Web> {
  const facts = await openLab('aws');
  const { aws } = facts;
  if (!aws) throw new Error('the lab gave no AWS');
  const control = controlOf(aws.control);
  await control.set('policy', null);
  const { bucket, distribution } = await makeWebsite(facts, fallback);
  const workspace = mkdtempSync(path.join(tmpdir(), 'deploy-web-'));
  const common = { bucket: bucket.name, distribution, region: aws.region, 'role-to-assume': aws.roleArn };
  const step: Web['step'] = (inputs = {}, env = {}) => ({
    action: 'deploy-web',
    workspace,
    inputs: { site: 'dist', ...common, ...inputs },
    env: { GITHUB_SHA: randomBytes(20).toString('hex'), GITHUB_RUN_ATTEMPT: '1', ...env },
  });
  return {
    facts,
    control,
    bucket,
    distribution,
    workspace,
    build(files) {
      rmSync(path.join(workspace, 'dist'), { recursive: true, force: true });
      for (const [file, content] of Object.entries(files)) {
        const whole = path.join(workspace, 'dist', file);
        mkdirSync(path.dirname(whole), { recursive: true });
        writeFileSync(whole, content);
      }
    },
    step,
    deploy: async (inputs, env) => runJob(facts, step(inputs, env)),
    event(name, payload) {
      const file = path.join(workspace, 'event.json');
      writeFileSync(file, JSON.stringify(payload));
      return { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: file };
    },
    served: async (key) =>
      bucket.read(key).then(
        ({ body: content }) => content.toString('utf8'),
        () => undefined,
      ),
    async close() {
      for (const setting of ['policy', 'invalidation', 'edge']) await control.set(setting, null);
      await control.faults();
      rmSync(workspace, { recursive: true, force: true });
    },
  };
}

/** A site as Vite builds it: `text` decides its pages, `chunk` its script and that script's name. */
export function site(text: string, chunk = 'AbCd12_x'): Readonly<Record<string, string>> {
  return {
    'index.html': `<!doctype html><title>${text}</title><script type="module" src="./assets/index-${chunk}.js"></script>`,
    [`assets/index-${chunk}.js`]: `console.log('${chunk}')`,
    'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  };
}
