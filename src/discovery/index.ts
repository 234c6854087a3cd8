export {
  type AddressResolver,
  type DnsAddressesOptions,
  dnsAddresses,
} from "./dnsaddresses.js";
export { type DnsServiceOptions, dnsService, type ServiceResolver } from "./dnsservice.js";
export { type ElasticacheOptions, elasticache } from "./elasticache.js";
export { type ServerFileOptions, serverFile } from "./serverfile.js";
