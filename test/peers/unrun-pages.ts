/** The pages of docs/clients and docs/verify whose code nothing runs, with the reason. */
export const UNRUN_PAGES: Readonly<Record<string, string>> = {
  'docs/clients/README.md': 'it has facts and a table',
  'docs/clients/dotnet.md': '.NET is not in the registries that the peers use',
  'docs/clients/postman.md': 'Postman is a program with a window',
  'docs/verify/README.md': 'its calls are those of the management API',
  'docs/verify/dotnet.md': '.NET is not in the registries that the peers use',
};
