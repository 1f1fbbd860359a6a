// GET /api/openapi.json: what there is, written from the same schemas that check it.
import { z } from 'zod';
import { healthAnswer } from './health.ts';

const problem = z
  .object({ title: z.string(), status: z.int(), detail: z.string() })
  .meta({ title: 'Problem', description: 'Why there is no other answer (RFC 9457).' });

const json = (schema: z.ZodType, mediaType = 'application/json') => {
  const { $schema: _, ...content } = z.toJSONSchema(schema);
  return { content: { [mediaType]: { schema: content } } };
};

/** The description of this interface in the form of OpenAPI 3.1. */
export function openApi(version: string) {
  const otherwise = { default: { description: 'A problem', ...json(problem, 'application/problem+json') } };
  return {
    openapi: '3.1.0',
    info: { title: 'AngioVault', version },
    paths: {
      '/api/health': {
        get: {
          summary: 'Is the archive ready?',
          responses: {
            200: { description: 'Ready', ...json(healthAnswer) },
            503: { description: 'Not ready', ...json(healthAnswer) },
            ...otherwise,
          },
        },
      },
      '/api/openapi.json': {
        get: {
          summary: 'This description',
          responses: { 200: { description: 'OpenAPI 3.1' }, ...otherwise },
        },
      },
      '/metrics': {
        get: {
          summary: 'Measurements for Prometheus',
          responses: { 200: { description: 'Prometheus text', content: { 'text/plain': {} } }, ...otherwise },
        },
      },
    },
  };
}
