import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Admin, adminOf } from '../lab/admin.ts';
import { type Control, controlOf } from '../lab/control.ts';
import { runJob } from '../lab/job.ts';
import type { BundleRun } from '../run-bundle.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';

const example = path.resolve(import.meta.dirname, '../../examples/tracking-api');

/** The lab's EKS, a namespace of its own on its simulated node, and the example to deploy there. */
export interface Eks {
  readonly facts: LabFacts;
  readonly aws: NonNullable<LabFacts['aws']>;
  readonly control: Control;
  readonly github: Control;
  readonly admin: Admin;
  readonly namespace: string;
  /** Runs deploy-eks by role, on the example unless told otherwise. */
  deploy(inputs?: Readonly<Record<string, string>>, options?: DeployOptions): Promise<BundleRun>;
  /** A workspace with the example's manifests, its Deployment changed. */
  variant(change: (deployment: string) => string): string;
  /** A workspace with these files. */
  folder(files: Readonly<Record<string, unknown>>): string;
  /** Takes every fault and setting back. */
  restore(): Promise<void>;
  /** Removes what the tests made. */
  close(): Promise<void>;
}

export interface DeployOptions {
  readonly workspace?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Opens the lab; a machine that never built Kubernetes builds it first. */
export async function openEks(): Promise<Eks> {
  const facts = await openLab('aws');
  const { aws, cluster, github: hub } = facts;
  if (!aws || !cluster || !hub) throw new Error('the lab gave no AWS, cluster or GitHub');
  const [control, github, admin] = [controlOf(aws.control), controlOf(hub.control), await adminOf(facts)];
  const namespace = await freshNamespace(cluster, { simulated: true });
  const folders: string[] = [];
  const folder = (): string => {
    const made = mkdtempSync(path.join(tmpdir(), 'deploy-eks-'));
    folders.push(made);
    return made;
  };
  return {
    facts,
    aws,
    control,
    github,
    admin,
    namespace,
    deploy: async (inputs = {}, { workspace = example, env = {} } = {}) =>
      runJob(facts, {
        action: 'deploy-eks',
        workspace,
        env,
        inputs: {
          cluster: cluster.name,
          region: aws.region,
          'role-to-assume': aws.roleArn,
          namespace,
          manifests: 'k8s',
          images: `tracking-api=${aws.ecrHost}/tracking-api@sha256:${'a'.repeat(64)}`,
          ...inputs,
        },
      }),
    folder(files) {
      const made = folder();
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(made, name)), { recursive: true });
        writeFileSync(path.join(made, name), JSON.stringify(content));
      }
      return made;
    },
    variant(change) {
      const made = folder();
      cpSync(path.join(example, 'k8s'), path.join(made, 'k8s'), { recursive: true });
      const file = path.join(made, 'k8s/deployment.yaml');
      const before = readFileSync(file, 'utf8');
      const after = change(before);
      if (after === before) throw new Error('the variant is the example itself');
      writeFileSync(file, after);
      return made;
    },
    async restore() {
      await control.faults();
      for (const name of ['policy', 'trust', 'users', 'session', 'token-age']) await control.set(name, null);
      await github.faults();
      await github.set('claims', {});
    },
    async close() {
      for (const made of folders) rmSync(made, { recursive: true, force: true });
      await admin.kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
    },
  };
}

/** Asks for more processors than a node has: no pod of it can be placed. */
export function greedy(deployment: string): string {
  return deployment.replace('cpu: 20m', 'cpu: 900');
}
