import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type WorkflowEvent, type WorkflowRun, runWorkflow } from '../lab/act.ts';
import type { LabFacts } from '../lab/part.ts';
import { copyProduct } from '../lab/product.ts';
import type { Company } from './company.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** Workflows of the team: the template that delivers, and two for where no image can be built. */
export const DELIVER = '.github/workflows/deliver.yml';
export const CHECKS = '.github/workflows/checks.yml';
export const DEPLOY = '.github/workflows/deploy.yml';

/** build-node without an image: it installs, lints and tests. */
const CHECKS_TEXT = `name: checks
on: push
permissions: {}
jobs:
  checks:
    permissions:
      contents: read # read the project
      actions: read # build-node's workflow asks for it
      id-token: write # build-node's workflow asks for it; without an image it assumes no role
    uses: logicore/delivery-actions/.github/workflows/build-node.yml@v1
`;

/** A run that somebody starts: by a push, by hand with inputs, or by another event. */
export interface Started {
  readonly file: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly event?: string;
  /** What GitHub tells with the event, beside the repository. */
  readonly payload?: object;
}

/** What a team begins with: an example and the templates that it copies, by their names in .github/workflows. */
export interface Project {
  readonly example: string;
  readonly templates: Readonly<Record<string, string>>;
}

const TRACKING_API: Project = {
  example: 'tracking-api',
  templates: { 'deliver.yml': 'node-service.yml', 'deploy.yml': 'deploy-service.yml' },
};

/** What a push came to. */
export interface Delivered extends WorkflowRun {
  readonly seconds: number;
}

/** A product team's repository: the example service and, as its only workflow, the template that teams copy. */
export class Team {
  readonly folder: string;
  readonly #product: string;
  readonly #outside: string;

  private constructor(outside: string, example: string) {
    this.#outside = outside;
    this.folder = path.join(outside, example);
    this.#product = path.join(outside, 'product');
  }

  /** @param within an existing folder */
  static async start(within = tmpdir(), { example, templates } = TRACKING_API): Promise<Team> {
    const team = new Team(await mkdtemp(path.join(within, 'team-')), example);
    await cp(path.join(root, 'examples', example), team.folder, {
      recursive: true,
      filter: (file) => !/\/(node_modules|dist|\.venv|__pycache__|junit\.xml)$/.test(file),
    });
    const workflows = path.join(team.folder, '.github/workflows');
    await mkdir(workflows, { recursive: true });
    for (const [name, template] of Object.entries(templates)) {
      await cp(path.join(root, 'workflows', template), path.join(workflows, name));
    }
    await writeFile(path.join(team.folder, CHECKS), CHECKS_TEXT);
    await copyProduct(root, team.#product);
    return team;
  }

  /** A caller workflow, as the team wrote it. */
  async workflow(file = DELIVER): Promise<string> {
    return readFile(path.join(this.folder, file), 'utf8');
  }

  /** Changes a file. @throws Error when what is to be replaced is not there */
  async edit(file: string, change: (text: string) => string): Promise<void> {
    const [name, before] = [path.join(this.folder, file), await readFile(path.join(this.folder, file), 'utf8')];
    const after = change(before);
    if (after === before) throw new Error(`${file} has not changed`);
    await writeFile(name, after);
  }

  /** Pushes to the default branch: the workflow runs, with the lab in place of GitHub and AWS. */
  async push(
    company: Pick<Company, 'variables'>,
    facts: LabFacts,
    onEvent?: (event: WorkflowEvent) => void,
  ): Promise<Delivered> {
    return this.run(company, facts, { file: DELIVER }, onEvent);
  }

  /** Runs one workflow: with inputs as if started by hand, else by a push to the default branch. */
  async run(
    company: Pick<Company, 'variables'>,
    facts: LabFacts,
    { file, inputs, event, payload }: Started,
    onEvent?: (event: WorkflowEvent) => void,
  ): Promise<Delivered> {
    const { aws, github, images, packages, runner } = facts;
    if (!aws || !github || !runner) throw new Error('the lab lacks parts that a delivery needs');
    const started = performance.now();
    const run = await runWorkflow({
      ...runner,
      repository: this.folder,
      product: this.#product,
      workflow: file,
      ...(inputs && { event: 'workflow_dispatch', inputs }),
      ...(event !== undefined && { event }),
      payload: { ref: 'refs/heads/main', repository: { default_branch: 'main' }, ...payload },
      vars: company.variables,
      secrets: { GITHUB_TOKEN: github.token },
      env: {
        AWS_ENDPOINT_URL: aws.endpoint,
        GITHUB_API_URL: github.apiUrl,
        ACTIONS_ID_TOKEN_REQUEST_URL: github.idTokenUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: github.idTokenRequestToken,
        ...(packages && { PIP_INDEX_URL: packages.url, PIP_TRUSTED_HOST: packages.host }),
        ...(images && { DOCKER_HOST: images.dockerHost, DOCKER_CONFIG: images.dockerConfig }),
      },
      ...(onEvent && { onEvent }),
    });
    return { ...run, seconds: (performance.now() - started) / 1000 };
  }

  async remove(): Promise<void> {
    await rm(this.#outside, { recursive: true, force: true });
  }
}
