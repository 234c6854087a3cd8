/** tslibmc: pylibmc for TypeScript. */

export type { BehaviorOptions, Behaviors } from "./client/behaviors/behaviors.js";
export type { Deltas } from "./client/calls/counting.js";
export type { Given } from "./client/calls/keys.js";
export type { Mapping } from "./client/calls/mapping.js";
export type {
  MetaArithmeticOptions,
  MetaDebugOptions,
  MetaDeleteOptions,
  MetaGetOptions,
  MetaOptions,
  MetaSetOptions,
} from "./client/calls/metaoptions.js";
export type {
  AdminOptions,
  ArithmeticOptions,
  CallOptions,
  FlushOptions,
  JoinOptions,
  StoreOptions,
  WriteOptions,
} from "./client/calls/options.js";
export type { BatchTrace, CommandTrace } from "./client/calls/tracing.js";
export type { ChunkOptions } from "./client/chunks/options.js";
export { Client } from "./client/client.js";
export type { CloseOptions, Cluster } from "./client/cluster.js";
export {
  type Configuration,
  type ConfigurationSources,
  checkConfiguration,
  parseConfiguration,
} from "./client/configuration/configuration.js";
export type { ClientEvents, LostWrite, ServerInfo } from "./client/events.js";
export type { ExplainOptions, ItemExplanation, KeyExplanation } from "./client/explaining.js";
export type { DiscoverOptions, FollowOptions } from "./client/membership.js";
export { ThreadMappedPool } from "./client/pool/mapped.js";
export { ClientPool, type Reservation, type ReserveOptions } from "./client/pool/pool.js";
export { parseServerList } from "./client/servers/serverlist.js";
export type { ServerOptions, Servers } from "./client/servers/servers.js";
export type { ClientOptions } from "./client/settings/configure.js";
export type {
  CopyReadOptions,
  CopyReadStats,
  HedgeOptions,
} from "./client/settings/copyreading.js";
export type { PlaintextCredentials } from "./client/settings/exposure.js";
export type { LimitOptions } from "./client/settings/limits.js";
export type { GutterOptions, PolicyOptions } from "./client/settings/policies.js";
export type { TransportOptions } from "./client/settings/transport.js";
export type { Stats } from "./commands/admin.js";
export type {
  MetaDebug,
  MetaDeleted,
  MetaFields,
  MetaItem,
  MetaNumber,
  MetaStored,
} from "./commands/meta.js";
export type { ValueWithCas } from "./commands/retrieval.js";
export type { ConnectionEvents } from "./connection/announcer.js";
export type { ConnectionStats, LatencyStats } from "./connection/counters.js";
export type { Credentials, CredentialsProvider } from "./connection/credentials.js";
export type { SocketOptions, TlsOptions } from "./connection/dial.js";
export type { MechanismName } from "./connection/mechanism.js";
export {
  ArgumentError,
  AuthError,
  CacheMiss,
  ClientErrorReply,
  CodecError,
  ConnectError,
  ConnectionClosedError,
  type ErrorDetails,
  KeyError,
  MemcachedError,
  NetworkError,
  NoServerError,
  NotSupportedError,
  OptionError,
  PartialError,
  PoolExhaustedError,
  ProtocolError,
  QueueFullError,
  ReplyError,
  ServerErrorReply,
  TimeoutError,
  UnknownCommandReply,
  ValueTooLargeError,
} from "./errors.js";
export { type HashName, hashers, hashKey } from "./hash/algorithms.js";
export type { HashFunction } from "./hash/function.js";
export type { Ttl } from "./protocol/exptime.js";
export type { Key } from "./protocol/key.js";
export type { SetMode } from "./protocol/request.js";
export { type Distribution, type DistributionOptions, distributions } from "./ring/distribution.js";
export type { PlacementPreset } from "./ring/presets.js";
export type { HealthEvent, HealthState } from "./routing/health.js";
export type { RejoinEvent } from "./routing/rejoin.js";
export type { ServerStats } from "./routing/server.js";
export type {
  Codec,
  Compression,
  CompressOptions,
  Encoded,
  EncodedData,
  EncodeOptions,
  Serializer,
} from "./value/codec.js";
export type { EncryptionKey, EncryptionOptions } from "./value/encryption.js";
export type { CodecName } from "./value/factory.js";
export {
  type PickleClass,
  type PickleClasses,
  type PickleConstructor,
  pickledEnum,
  pickledObject,
} from "./value/pickle/classes.js";
