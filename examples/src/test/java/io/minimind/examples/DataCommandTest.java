package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.minimind.examples.Commands.Result;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataCommandTest {

  private static final String CHINESE = "白婶是麦香面包房的主人，全镇的面包都是她烤的，早晨六点开门，卖到傍晚。";
  private static final String SIMILAR = CHINESE.replace("傍晚", "黄昏");
  private static final String ENGLISH = "The library is at the end of Academy Street.";

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "keep, 0, 4",
    "exact, 0, 3",
    "similar, 0, 2",
    "exact, 0.5, 2",
    "similar, 0.5, 1",
  })
  void aCorpusIsPreparedAsTheOptionsSay(String duplicates, String chinese, int left)
      throws IOException {
    Path corpus = folder.resolve("corpus.txt");
    Files.write(corpus, List.of(CHINESE, CHINESE, SIMILAR, ENGLISH));
    Path out = folder.resolve("out.jsonl");
    String[] options = {"--duplicates=" + duplicates, "--min-chinese=" + chinese, "--out=" + out};
    assertEquals(new Result(0, ""), Commands.run(with(options, "data", "prepare", "" + corpus)));
    assertEquals(left, Files.readAllLines(out).size());
  }

  private static String[] with(String[] options, String... command) {
    List<String> all = new ArrayList<>(Arrays.asList(command));
    all.addAll(Arrays.asList(options));
    return all.toArray(String[]::new);
  }

  @Test
  void aMirrorGivesTheFilesThatAreNamedOrAll() throws IOException {
    HttpServer mirror =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    answer(mirror, "/api/datasets/o/n/revision/old", "{\"sha\":\"" + COMMIT + "\"}");
    answer(
        mirror,
        "/api/datasets/o/n/tree/" + COMMIT,
        "[{\"type\":\"file\",\"path\":\"one.txt\",\"size\":3,\"oid\":\"x\"},"
            + "{\"type\":\"file\",\"path\":\"two.txt\",\"size\":3,\"oid\":\"x\"}]");
    answer(mirror, "/datasets/o/n/resolve/" + COMMIT + "/one.txt", "ONE");
    answer(mirror, "/datasets/o/n/resolve/" + COMMIT + "/two.txt", "TWO");
    mirror.start();
    try {
      String[] from = {
        "--hub=hugging_face",
        "--mirror=http://127.0.0.1:" + mirror.getAddress().getPort(),
        "--dataset=o/n",
        "--revision=old",
        "--to=" + folder
      };
      assertEquals(new Result(0, ""), Commands.run(with(from, "data", "download")));
      assertTrue(Files.notExists(folder.resolve("one.txt")), "it is only shown");
      assertEquals(new Result(0, ""), Commands.run(with(from, "data", "download", "two.txt")));
      assertTrue(Files.notExists(folder.resolve("one.txt")), "it was not asked for");
      assertArrayEquals("TWO".getBytes(), Files.readAllBytes(folder.resolve("two.txt")));
      assertEquals(new Result(0, ""), Commands.run(with(from, "data", "download", "--all")));
      assertArrayEquals("ONE".getBytes(), Files.readAllBytes(folder.resolve("one.txt")));
    } finally {
      mirror.stop(0);
    }
  }

  private static void answer(HttpServer server, String path, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    server.createContext(path, exchange -> send(exchange, bytes));
  }

  private static void send(HttpExchange exchange, byte[] bytes) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }
}
