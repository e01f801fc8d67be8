# syntax=docker/dockerfile:1
FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node.js itself.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM node:26-slim
WORKDIR /app
ENV HOST=0.0.0.0
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY migrations ./migrations
COPY src ./src
# ./data and ./keys of the settings' defaults.
RUN mkdir --mode=0700 /writ /writ/data /writ/keys && chown -R node:node /writ
WORKDIR /writ
USER node
VOLUME ["/writ/data", "/writ/keys"]
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/health/ready`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Runs with a read-only root file system: it writes to the two volumes and to /tmp only.
CMD ["node", "/app/src/main.ts"]
