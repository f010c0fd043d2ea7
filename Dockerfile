# quantlane as a server: `docker build --tag quantlane .`, then `docker run --init --publish 8000:8000 quantlane`.
#
# The process ends by itself on SIGTERM, with every request in work answered. --init (or `init: true` of Compose, or a
# pod's own pause container) collects processes that `docker exec` leaves behind.

FROM node:22.23.3-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json rolldown.config.js ./
COPY .ci/page.mjs .ci/page.mjs
COPY src src
COPY workers workers
RUN npm run build

FROM node:22.23.3-bookworm-slim AS packages
WORKDIR /packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev

FROM node:22.23.3-bookworm-slim
LABEL org.opencontainers.image.title="quantlane" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /packages/node_modules node_modules
COPY --from=build /build/dist/src dist/src
COPY --from=build /build/dist/workers dist/workers
COPY package.json LICENSE ./
USER node
EXPOSE 8000
# With TLS: --env HEALTH_URL=https://localhost:8000/v2/health/live --env NODE_EXTRA_CA_CERTS=FILE.
ENV HEALTH_URL=http://127.0.0.1:8000/v2/health/live
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "--eval", "fetch(process.env.HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["serve", "--host", "0.0.0.0"]
