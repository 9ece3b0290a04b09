import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { code, md, raw } from '../action/markdown.ts';
import { resolveAlias } from '../node/runtime.ts';
import { nodeVersions } from '../node/version.ts';
import { inRepository, locationOf, openProject } from '../project/project.ts';
import type { NodeInputs } from './inputs.ts';

/**
 * Gives the versions of the input `node-versions` as JSON for a matrix, and does nothing else: the jobs of the matrix
 * build. An alias such as `lts/*` becomes the line that it stands for today, so that all jobs mean the same.
 * @throws UserError with every version that is none or that the project excludes
 */
export async function listVersions(given: NodeInputs, host: Host): Promise<{ readonly 'node-versions': string }> {
  const project = openProject(given.directory, host.info.workspace);
  if (given.nodeVersion !== '') {
    throw new UserError('inputs node-version and node-versions are both given', {
      remedy: 'Give node-versions in the job that lists them, and node-version in the jobs of the matrix.',
    });
  }
  try {
    const wanted = nodeVersions(project.read, given.nodeVersions, locationOf(project));
    const known = await Promise.all(wanted.map(async (one) => resolveAlias(one, host)));
    const shown = known.map(({ range }, index) =>
      wanted[index]?.alias === undefined ? given.nodeVersions[index] : range,
    );
    const list = JSON.stringify([...new Set(shown)]);
    host.log.info(`versions of Node for a matrix: ${list}; nothing is built in this step`);
    await host.summarize(md`Versions of Node for a matrix: ${raw(code(list))}`);
    return { 'node-versions': list };
  } catch (error) {
    throw error instanceof UserError ? inRepository(error, project) : error;
  }
}
