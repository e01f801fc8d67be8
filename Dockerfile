# syntax=docker/dockerfile:1
FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node.js itself.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM node:26-slim
WORKDIR /app
# Production, so that no secret is printed; a start says what it misses.
ENV HOST=0.0.0.0 NODE_ENV=production
# Nobody else can write to this folder here.
ENV NODE_COMPILE_CACHE=/tmp/compiled
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY migrations ./migrations
COPY src ./src
# ./data and ./keys of the settings' defaults; OpenShift runs it under any uid, with group 0.
RUN mkdir -p /writ/data /writ/keys && chown -R node:0 /writ && chmod -R 0770 /writ
WORKDIR /writ
# A number, so that Kubernetes can tell that it is not root.
USER 1000:0
VOLUME ["/writ/data", "/writ/keys"]
EXPOSE 3000
# Asks where health answers, also with WRIT_INTERNAL_LISTEN.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "/app/src/main.ts", "health"]
# Runs with a read-only root file system: it writes to the two volumes and to /tmp only.
CMD ["node", "/app/src/main.ts"]
