// GET /api/openapi.json: what there is, written from the same list of routes that answers.
import { z } from 'zod';
import { Raw, type Route, route } from '../route.ts';

const problem = z
  .object({
    type: z.string().optional(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().optional(),
    params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ title: 'Problem', description: 'Why there is no other answer (RFC 9457).' });

/** The route that describes all of them, itself included. */
export function openApiRoute(version: string, routes: readonly Route[]): Route {
  let text: string | undefined;
  const own: Route = route({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This description',
    access: 'this-machine',
    media: 'application/json',
    handle: () => {
      text ??= JSON.stringify(openApi(version, [...routes, own]));
      return new Raw('application/json', text);
    },
  });
  return own;
}

/** The description in the form of OpenAPI 3.1. */
export function openApi(version: string, routes: readonly Route[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const one of routes) {
    const path = one.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operation(one) };
  }
  return { openapi: '3.1.0', info: { title: 'AngioVault', version }, paths };
}

function operation(route: Route) {
  const { params, query, body, summary, access = 'signed-in' } = route;
  const parameters = [
    ...parametersOf(params, 'path'),
    ...parametersOf(query, 'query'),
    ...(route.method === 'GET'
      ? []
      : [{ name: 'X-AngioVault', in: 'header', required: true, schema: { const: '1' } }]),
  ];
  return {
    summary,
    ...(access === 'signed-in' ? {} : { description: ACCESS_WORDS[access] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(body, 'input') } }),
    responses: { ...success(route), default: PROBLEM },
  };
}

const ACCESS_WORDS = {
  everybody: 'Answers without a session.',
  'this-machine': 'Answers without a session when asked from the machine itself.',
} as const;

function success({ answer, media, status }: Route) {
  if (answer !== undefined)
    return { [status ?? 200]: { description: 'Done', content: jsonOf(answer, 'output') } };
  if (media !== undefined) return { [status ?? 200]: { description: 'Done', content: { [media]: {} } } };
  return { [status ?? 204]: { description: 'Done' } };
}

function jsonOf(schema: z.ZodType, io: 'input' | 'output', mediaType = 'application/json') {
  return { [mediaType]: { schema: schemaOf(schema, io) } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...content } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return content;
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query') {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input');
  return Object.entries(properties).map(([name, inner]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: inner,
  }));
}

const PROBLEM = {
  description: 'A problem',
  content: jsonOf(problem, 'output', 'application/problem+json'),
};
