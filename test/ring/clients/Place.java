import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import net.spy.memcached.*;

/**
 * Where spymemcached's KetamaNodeLocator puts keys. Its input is one file of lines,
 * since Java has no JSON: "list NAME", "server HOST PORT WEIGHT", "key KEY"; a list's
 * lines are followed by all keys. Writes JSON.
 */
public final class Place {
  public static void main(String[] args) throws Exception {
    System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SunLogger");
    List<InetSocketAddress> servers = new ArrayList<>();
    Map<InetSocketAddress, Integer> weights = new HashMap<>();
    NodeLocator locator = null;
    StringBuilder json = new StringBuilder("{");
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "list" -> {
          json.append(json.length() == 1 ? "" : "],").append("\"" + words[1] + "\":[");
          servers.clear();
          weights.clear();
          locator = null;
        }
        case "server" -> {
          InetSocketAddress server = new InetSocketAddress(words[1], Integer.parseInt(words[2]));
          servers.add(server);
          weights.put(server, Integer.parseInt(words[3]));
        }
        default -> {
          if (locator == null) locator = locatorOf(servers, weights);
          else json.append(",");
          json.append(servers.indexOf(locator.getPrimary(words[1]).getSocketAddress()));
        }
      }
    }
    System.out.println(json.append("]}"));
  }

  private static NodeLocator locatorOf(List<InetSocketAddress> servers, Map<InetSocketAddress, Integer> weights)
      throws Exception {
    ConnectionFactory factory = new KetamaConnectionFactory();
    List<MemcachedNode> nodes = new ArrayList<>();
    for (InetSocketAddress server : servers) {
      nodes.add(factory.createMemcachedNode(server, SocketChannel.open(), 1024));
    }
    boolean weighted = weights.values().stream().anyMatch(weight -> weight != 1);
    return weighted
        ? new KetamaNodeLocator(nodes, DefaultHashAlgorithm.KETAMA_HASH,
            KetamaNodeKeyFormatter.Format.SPYMEMCACHED, new HashMap<>(weights))
        : factory.createLocator(nodes);
  }
}
