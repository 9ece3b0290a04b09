import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LabFacts } from './part.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** What a run of a bundle came to. */
export interface JobRun {
  readonly exitCode: number | null;
  /** Errors and log, as people read them: the runner's own escapes are undone. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

export interface Job {
  /** Name of the action, whose committed bundle runs. */
  readonly action: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a bundle as a step of a job does, with the lab in place of GitHub and AWS. */
export async function runJob({ aws, github }: LabFacts, { action, inputs, workspace, env = {} }: Job): Promise<JobRun> {
  const temp = mkdtempSync(path.join(tmpdir(), 'job-'));
  const [output, summary] = ['output', 'summary'].map((name) => path.join(temp, name)) as [string, string];
  for (const file of [output, summary]) writeFileSync(file, '');
  try {
    const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    const child = spawn(process.execPath, [path.join(root, `dist/${action}/index.js`)], {
      cwd: workspace,
      timeout: 120_000,
      env: {
        PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
        HOME: temp,
        AWS_ENDPOINT_URL: aws?.endpoint,
        GITHUB_API_URL: github?.apiUrl,
        ACTIONS_ID_TOKEN_REQUEST_URL: github?.idTokenUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: github?.idTokenRequestToken,
        GITHUB_REPOSITORY: 'acme/shop',
        GITHUB_RUN_ID: '7',
        GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
        GITHUB_REF: 'refs/heads/main',
        GITHUB_REF_NAME: 'main',
        GITHUB_ACTOR: 'ana',
        GITHUB_WORKSPACE: workspace,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: path.join(temp, 'temp'),
        RUNNER_TOOL_CACHE: path.join(temp, 'tools'),
        ...Object.fromEntries(given),
        ...env,
      },
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => void (log += text));
    }
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    return {
      exitCode,
      log: log.replaceAll('%0A', '\n').replaceAll('%25', '%'),
      outputs: outputsOf(readFileSync(output, 'utf8')),
      summary: readFileSync(summary, 'utf8'),
    };
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** The runner's form: `name<<delimiter`, lines, `delimiter`. */
export function outputsOf(text: string): Record<string, string> {
  const found = text.matchAll(/^([\w-]+)<<(.+)\n([^]*?)\n\2$/gm);
  return Object.fromEntries([...found].map(([, name = '', , value = '']) => [name, value]));
}
