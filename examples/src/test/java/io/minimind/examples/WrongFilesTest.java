package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every option that takes a file or a folder, given what is none: each command says so in one
 * sentence that names it, and in nobody's words but its own.
 */
class WrongFilesTest {

  /** Words of parsers and of Java. */
  private static final Pattern FOREIGN =
      Pattern.compile(
          "Exception|\\bat \\w+\\.|fasterxml|\\bjava\\.|Is a directory|Input length|Feature|null");

  /** What a command is given: WRONG, with the ending of its name; TEXT where any text is right. */
  private static final Pattern GIVEN = Pattern.compile("(WRONG|TEXT)(\\S*)");

  @TempDir static Path folder;
  private static Path model;

  @BeforeAll
  static void train() {
    model = Commands.trained(folder);
  }

  /** What stands in the place of a file, by what it is. */
  private static Map<String, Path> wrong(String ending, boolean text) throws IOException {
    Map<String, byte[]> contents = new TreeMap<>();
    if (!text) {
      contents.put("empty", new byte[0]);
      contents.put("zeros", new byte[4099]); // as after a power failure
    }
    contents.put("latin", "{\"text\": \"caf\u00e9\"".getBytes(StandardCharsets.ISO_8859_1));
    Map<String, Path> wrong = new TreeMap<>();
    for (Map.Entry<String, byte[]> content : contents.entrySet()) {
      Path file = folder.resolve("a " + content.getKey() + ending);
      wrong.put(content.getKey(), Files.write(file, content.getValue()));
    }
    wrong.put("missing", folder.resolve("a missing" + ending));
    wrong.put("folder", Files.createDirectories(folder.resolve("a folder" + ending)));
    return wrong;
  }

  private static List<String> commands() {
    return List.of(
        "pretrain --tokenizer TOKENIZER --out OUT --preset=tiny --data WRONG.csv",
        "pretrain --tokenizer TOKENIZER --out OUT --preset=tiny --data WRONG.jsonl",
        "pretrain --tokenizer TOKENIZER --out OUT --preset=tiny --data WRONG.json",
        "pretrain --tokenizer TOKENIZER --out OUT --preset=tiny --data WRONG.parquet",
        "pretrain --tokenizer TOKENIZER --out OUT --preset=tiny --data WRONG.txt.gz",
        "pretrain --tokenizer WRONG --out OUT --preset=tiny --data CORPUS",
        "pretrain --tokenizer TOKENIZER --out OUT --preset=tiny --data CORPUS --validation WRONG",
        "pretrain --tokenizer TOKENIZER --out OUT --preset=tiny --data CORPUS --prompts TEXT",
        "pretrain --resume --out WRONG",
        "sft --from WRONG --out OUT --data CHATS",
        "sft --from MODEL --out OUT --data CHATS --lora-adapter WRONG",
        "sft --from MODEL --out OUT --data CHATS --system-prompts TEXT",
        "distill --from MODEL --out OUT --data CHATS --teacher WRONG",
        "dpo --from MODEL --out OUT --data WRONG.jsonl",
        "grpo --from MODEL --out OUT --data CHATS --reward model:WRONG",
        "answer --model WRONG --data CHATS --to OUT",
        "answer --model MODEL --data WRONG.jsonl --to OUT",
        "eval pretrain --model WRONG",
        "eval pretrain --model MODEL --prompts TEXT",
        "eval chat --model WRONG",
        "eval questions --model MODEL --data WRONG.csv",
        "eval ceval --model MODEL --data WRONG",
        "chat --model WRONG",
        "serve --model WRONG",
        "serve --model MODEL --api-key-file WRONG",
        "tokenizer train --out OUT --vocab-size=300 --data WRONG.csv",
        "tokenizer train --out OUT --vocab-size=300 --data CORPUS --chat-template TEXT",
        "tokenizer encode --tokenizer WRONG hello",
        "tokenizer encode --tokenizer TOKENIZER --file TEXT",
        "tokenizer stats --tokenizer TOKENIZER --data WRONG.jsonl",
        "data inspect WRONG.jsonl",
        "data prepare --out OUT WRONG.json",
        "import --to OUT --from WRONG",
        "import --to OUT --from WRONG.gguf",
        "import --to OUT --from WRONG.pth",
        "import --to OUT --from WRONG.txt",
        "import --to OUT --from WRONG.safetensors",
        "export --out OUT --model WRONG",
        "publish --to OUT --model WRONG",
        "publish --to OUT --model MODEL --questions WRONG",
        "verify --data CORPUS --tokenizer TOKENIZER --golden WRONG",
        "bench decode --model WRONG",
        "bench constraints --tokenizer TOKENIZER --schemas WRONG",
        "bench rollouts --from MODEL --data WRONG.jsonl");
  }

  @TestFactory
  Stream<DynamicTest> isNamedInOneSentence() throws IOException {
    return commands().stream().flatMap(WrongFilesTest::tests);
  }

  /** A model of which a file is a folder. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
        "model.onnx",
        "settings.json",
        "history.json"
      })
  void aFolderInAFilesPlaceIsNamed(String file) throws IOException {
    Path broken = folder.resolve("with a folder " + file);
    Commands.copy(model, broken);
    Files.delete(broken.resolve(file));
    Files.createDirectory(broken.resolve(file));
    for (String command :
        List.of(
            "sft --data CHATS --max-updates=1 --out OUT --from WRONG",
            "export --out OUT --model WRONG",
            "eval pretrain --max-new-tokens=1 --model WRONG")) {
      Commands.Result result = Commands.run(arguments(command, broken));
      assertFalse(FOREIGN.matcher(result.err()).find(), result.err());
      assertTrue(
          result.status() == 0
              || result.err().contains(broken.toString()) && result.err().strip().endsWith("."),
          result.toString());
    }
  }

  /** A run of which a file is a folder, or is another's. */
  @ParameterizedTest
  @ValueSource(strings = {"metrics.jsonl", "settings.json", "checkpoints/STATE"})
  void aFolderInARunIsNamed(String file) throws IOException {
    Path broken = folder.resolve("run with a folder " + file.replaceFirst(".*/", ""));
    Commands.copy(model, broken);
    Path replaced =
        file.endsWith("STATE")
            ? Commands.latest(broken).resolve("state.json")
            : broken.resolve(file);
    Files.delete(replaced);
    Files.createDirectory(replaced);
    Commands.Result result = Commands.run("pretrain", "--resume", "--out=" + broken);
    assertEquals(1, result.status());
    assertFalse(FOREIGN.matcher(result.err()).find(), result.err());
    assertTrue(result.err().contains(broken.toString()), result.err());
  }

  @Test
  void settingsThatLackOneAreNamed() throws IOException {
    Path broken = folder.resolve("run with other settings");
    Commands.copy(model, broken);
    Files.copy(
        broken.resolve("config.json"),
        broken.resolve("settings.json"),
        StandardCopyOption.REPLACE_EXISTING);
    Commands.Result result = Commands.run("pretrain", "--resume", "--out=" + broken);
    assertEquals(
        broken.resolve("settings.json") + " is not valid: \"model\" is missing.",
        result.err().strip());
  }

  private static Stream<DynamicTest> tests(String command) {
    Matcher given = GIVEN.matcher(command);
    assertTrue(given.find(), command);
    try {
      return wrong(given.group(2), given.group(1).equals("TEXT")).entrySet().stream()
          .map(
              wrong ->
                  DynamicTest.dynamicTest(
                      command + ": " + wrong.getKey(), () -> check(command, wrong.getValue())));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void check(String command, Path wrong) {
    Commands.Result result = Commands.run(arguments(command, wrong));
    List<String> lines = result.err().lines().toList();
    assertTrue(result.status() == 1 || result.status() == 2, result.toString());
    assertTrue(lines.size() == 1 || lines.get(1).startsWith("Try '"), result.err());
    assertFalse(FOREIGN.matcher(lines.get(0)).find(), lines.get(0));
    assertTrue(lines.get(0).contains(wrong.toString()), lines.get(0));
    assertTrue(lines.get(0).endsWith("."), lines.get(0));
    assertFalse(Files.exists(out(command, wrong)), "nothing is made of what cannot be used");
    // What is wrong in a row is found on the way, by those that read rows as they work.
    Path partial = Path.of(out(command, wrong) + ".partial");
    assertTrue(
        wrong.toString().contains("latin") || Files.notExists(partial),
        "nothing is begun with what cannot be used");
  }

  private static String[] arguments(String command, Path wrong) {
    return Arrays.stream(command.split(" "))
        .map(
            word ->
                switch (word) {
                  case "OUT" -> out(command, wrong).toString();
                  case "MODEL" -> model.toString();
                  case "TOKENIZER" -> Commands.TOKENIZER.toString();
                  case "CORPUS" -> Commands.CORPUS.toString();
                  case "CHATS" -> Commands.CHATS.toString();
                  default -> GIVEN.matcher(word).replaceFirst(wrong.toString());
                })
        .toArray(String[]::new);
  }

  private static Path out(String command, Path wrong) {
    return folder.resolve("out-" + Integer.toHexString((command + wrong).hashCode()));
  }
}
