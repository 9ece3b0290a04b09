import type { LabFacts } from './part.ts';

/** Keys of AWS in the form of a job's environment. */
export type SessionEnv = Readonly<Record<'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN', string>>;

/** What a step that assumed the role left in the environment for those after it. */
export async function assumeRole({ aws, github }: LabFacts): Promise<SessionEnv> {
  if (!aws || !github) throw new Error('the lab gave no AWS or GitHub');
  const headers = { authorization: `Bearer ${github.idTokenRequestToken}` };
  const answered = await fetch(`${github.idTokenUrl}&audience=sts.amazonaws.com`, { headers });
  const { value } = (await answered.json()) as { value: string };
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    RoleArn: aws.roleArn,
    RoleSessionName: 'step',
    WebIdentityToken: value,
  });
  const xml = await (await fetch(aws.endpoint, { method: 'POST', body })).text();
  const told = (name: string): string => {
    const text = new RegExp(`<${name}>([^<]+)<`).exec(xml)?.[1];
    if (text === undefined) throw new Error(`STS told no ${name}: ${xml}`);
    return text;
  };
  return {
    AWS_ACCESS_KEY_ID: told('AccessKeyId'),
    AWS_SECRET_ACCESS_KEY: told('SecretAccessKey'),
    AWS_SESSION_TOKEN: told('SessionToken'),
  };
}
