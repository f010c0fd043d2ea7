/** What the protocol says of answers, as checks. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

const schema = JSON.parse(readFileSync(new URL('../vectors/oip/schema.json', import.meta.url), 'utf8'));
const ajv = new Ajv({ allErrors: true });
ajv.addSchema(schema);

/** What is wrong with an answer, by the name of its definition; nothing: an empty text. */
export function faults(definition: string, answer: unknown): string {
  const validate = ajv.getSchema(`oip#/definitions/${definition}`);
  if (validate === undefined) throw new Error(`Expected a definition, got ${definition}`);
  return validate(answer) ? '' : ajv.errorsText(validate.errors);
}
