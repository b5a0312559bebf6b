package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.examples.Commands.Result;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Talking with the published model, through pipes and in a terminal. */
@Timeout(120)
class ChatCommandTest {
  private static final Path MODEL = Commands.DATA.resolve("../../models/minimind-demo").normalize();
  private static final String WHO = "白婶是谁？";
  private static final String WHEN = "她的店几点开门？";

  /** Pasted text is marked from here on, and the prompt stands behind that. */
  private static final String PROMPT = "\u001b[?2004h>";

  @TempDir Path folder;

  private record Output(List<String> lines, String err, int status) {}

  private Output talk(List<String> options, String... typed) throws Exception {
    List<String> args = new ArrayList<>(List.of("chat", "--model=" + MODEL, "--temperature=0"));
    args.addAll(options);
    try (CommandProcess running = CommandProcess.start(folder, args.toArray(String[]::new))) {
      try (Writer writer = running.process.outputWriter(StandardCharsets.UTF_8)) {
        writer.write(String.join("\n", typed) + "\n");
      }
      List<String> lines = running.remainingLines();
      return new Output(lines, running.err(), running.exitStatus());
    }
  }

  /** What the SDK's chat answers. */
  private static List<String> answers(ChatOptions options, String... messages) throws IOException {
    ChatOptions greedy = options.withGeneration(GenerationOptions.greedy().withMaxNewTokens(1024));
    List<String> answers = new ArrayList<>();
    try (LanguageModel model = LanguageModel.load(MODEL);
        Chat chat = model.chat(greedy)) {
      for (String message : messages) {
        answers.add(chat.send(message).text());
      }
    }
    return answers;
  }

  @Test
  void throughPipesTheOutputIsWhatTheModelSays() throws Exception {
    Output output = talk(List.of(), WHO, "", WHEN);
    assertEquals(new Output(answers(ChatOptions.defaults(), WHO, WHEN), "", 0), output);
  }

  @Test
  void theModelSeesAsManyTurnsAsItIsGiven() throws Exception {
    List<String> alone = answers(ChatOptions.defaults(), WHEN);
    List<String> together = answers(ChatOptions.defaults(), WHO, WHEN);
    assertNotEquals(alone.get(0), together.get(1), "what was said before makes a difference");

    assertEquals(together.get(1), talk(List.of("--turns=1"), WHO, WHEN).lines().get(1));
    assertEquals(alone.get(0), talk(List.of("--turns=0"), WHO, WHEN).lines().get(1));
    assertEquals(alone.get(0), talk(List.of(), WHO, "/reset", WHEN).lines().get(1));
  }

  @Test
  void aSystemPromptStandsBeforeTheConversation() throws Exception {
    String system = "Where is the library?";
    List<String> with = answers(ChatOptions.defaults().withSystemPrompt(system), WHO);
    List<String> without = answers(ChatOptions.defaults(), WHO);

    assertEquals(with, talk(List.of("--system=" + system), WHO).lines());
    Output output =
        talk(List.of(), "/system " + system, WHO, "/reset", "/system", "/system off", WHO);
    assertEquals(List.of(with.get(0), without.get(0)), output.lines());
    assertEquals(system + "\n", output.err());
  }

  @Test
  void aBackslashGoesOnInANewLine() throws Exception {
    String[] typed = {"Where is\\", "the library?"};
    assertEquals(
        answers(ChatOptions.defaults(), "Where is\nthe library?"), talk(List.of(), typed).lines());
  }

  @Test
  void whatCannotBeDoneIsSaidAndTheRestIsDone() throws Exception {
    Output output = talk(List.of(), "/exi", "长".repeat(3000), " /exit", "/exit", WHO);

    assertEquals(answers(ChatOptions.defaults(), "/exit"), output.lines());
    List<String> complaints = output.err().lines().toList();
    assertEquals(2, complaints.size(), output.err());
    assertTrue(complaints.get(0).startsWith("There is no command \"/exi\""), complaints.get(0));
    assertTrue(complaints.get(1).contains("tokens, which leaves no room"), complaints.get(1));
    assertEquals(1, output.status());
  }

  @Test
  void settingsAreShownAndChanged() throws Exception {
    Output output = talk(List.of("--seed=5"), "/set", "/set max-new-tokens 1", WHO);
    assertTrue(output.err().contains("temperature 0.0\n"), output.err());
    assertTrue(output.err().contains("seed 5\n"), output.err());
    String whole = answers(ChatOptions.defaults(), WHO).get(0);
    String first = output.lines().get(0);
    assertTrue(whole.startsWith(first) && first.length() < whole.length(), first);

    Output refused =
        talk(
            List.of(),
            "/set temperature",
            "/set temperature hot",
            "/set heat 1",
            "/set temperature -1",
            "/think maybe",
            "/think on");
    assertEquals(
        List.of(
            "/set takes a name and a value, such as /set temperature 0.7.",
            "temperature must be a number, but is \"hot\".",
            "There is no setting \"heat\"; there are temperature, top-k, top-p, min-p,"
                + " repetition-penalty, max-new-tokens, seed.",
            "The generation option temperature is -1.0 but must be 0, which always takes the"
                + " likeliest token, or above.",
            "/think takes on or off.",
            "This model cannot be told whether to think: its chat template knows nothing of that."),
        refused.err().lines().toList());
    assertEquals(1, refused.status());
  }

  @Test
  void aConversationIsSavedAndGoneOnWith() throws Exception {
    Path file = folder.resolve("my chat.json");
    Output first = talk(List.of("--system=S"), WHO, "/save " + file, "/save " + file);
    assertEquals("", first.err());
    JsonNode saved = new ObjectMapper().readTree(file.toFile()).get("messages");
    assertEquals(List.of("S", WHO, first.lines().get(0)), saved.findValuesAsText("content"));
    assertEquals(List.of("system", "user", "assistant"), saved.findValuesAsText("role"));

    Output second = talk(List.of(), "/load " + file, WHEN);
    assertEquals(
        answers(ChatOptions.defaults().withSystemPrompt("S"), WHO, WHEN).get(1),
        second.lines().get(0));
    assertEquals("3 messages.\n", second.err());
  }

  @Test
  void otherFilesAreLeftAlone() throws Exception {
    Path other = Files.writeString(folder.resolve("other"), "mine");
    Path list = Files.writeString(folder.resolve("list"), "{\"messages\": [{\"role\": \"x\"}]}");
    Output output =
        talk(
            List.of(),
            "/save " + other,
            "/load " + other,
            "/load " + list,
            "/load " + folder,
            "/load",
            "/save " + folder.resolve("nowhere/file"));
    List<String> complaints = output.err().lines().toList();
    assertEquals(6, complaints.size(), output.err());
    assertEquals(
        other + " is there and is no saved conversation; choose another name.", complaints.get(0));
    assertTrue(complaints.get(1).startsWith(other + " is not valid JSON at line 1"), output.err());
    assertTrue(complaints.get(2).startsWith(list + ": message 1 must have"), output.err());
    assertEquals("There is no file " + folder + ".", complaints.get(3));
    assertEquals("/load takes the name of a file.", complaints.get(4));
    assertTrue(complaints.get(5).startsWith("Cannot write "), complaints.get(5));
    assertEquals("mine", Files.readString(other));
    assertEquals(1, output.status());
  }

  @Test
  void mistakesOfTheCommandLineAreSentences() throws IOException {
    Path without = folder.resolve("without");
    Commands.copy(MODEL, without);
    Files.delete(without.resolve("SHA256SUMS"));
    Files.writeString(without.resolve("tokenizer_config.json"), "{}");
    assertSays(1, without + " has no chat template", "--model=" + without);
    Path nowhere = folder.resolve("nowhere");
    assertSays(1, "There is no model folder at " + nowhere, "--model=" + nowhere);
    assertSays(1, "There is no folder nope. There is no model nope", "--model=nope");
    assertSays(1, "no-such-model", "--model=no-such-model");
    assertSays(2, "--turns must be at least 0, but is -1.", "--model=" + MODEL, "--turns=-1");
    assertSays(2, "temperature is -1.0", "--model=" + MODEL, "--temperature=-1");
    assertSays(2, "cannot be told whether to think", "--model=" + MODEL, "--think=true");
  }

  private static void assertSays(int status, String part, String... options) {
    List<String> args = new ArrayList<>(List.of("chat"));
    args.addAll(List.of(options));
    Result result = Commands.run(args.toArray(String[]::new));
    assertEquals(status, result.status(), result.err());
    assertTrue(result.err().contains(part), result.err());
    assertEquals(status, result.err().lines().count(), result.err());
  }

  /** {@code script} runs a command in a terminal of its own. */
  @Test
  void inATerminalCtrlCDoesNotEndIt() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "there is no script command");
    Path history = folder.resolve("typed");
    String command =
        "stty cols 100; "
            + String.join(
                " ",
                CommandProcess.command(
                    MiniMind.class,
                    "chat",
                    "--model=" + MODEL,
                    "--temperature=0",
                    "--history-file=" + history));
    ProcessBuilder builder = new ProcessBuilder("script", "-qefc", command, "/dev/null");
    builder.environment().put("TERM", "xterm");
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.redirectErrorStream(true).start();
    StringBuilder screen = new StringBuilder();
    try (Writer keys = process.outputWriter(StandardCharsets.UTF_8);
        var shown = process.inputReader(StandardCharsets.UTF_8)) {
      await(shown, screen, PROMPT);
      type(keys, WHO + "\r");
      await(shown, screen, "tokens/s, the first after ");
      await(shown, screen, PROMPT);
      type(keys, "\u0003");
      await(shown, screen, "Ctrl-D ends.");
      await(shown, screen, PROMPT);
      type(keys, "\u0004");
      shown.transferTo(Writer.nullWriter());
      assertEquals(0, process.waitFor());
    } finally {
      process.destroyForcibly();
    }
    String text = screen.toString();
    assertTrue(text.contains("minimind-demo, with a context of "), text);
    assertTrue(text.contains(answers(ChatOptions.defaults(), WHO).get(0)), text);
    assertTrue(text.contains("\u001b[2m"), "what the model does not say is faint: " + text);
    assertTrue(Files.readString(history).contains(WHO), "what was typed is kept");
    assertFalse(text.contains("Exception"), text);
  }

  private static void type(Writer keys, String typed) throws IOException {
    keys.write(typed);
    keys.flush();
  }

  private static void await(java.io.Reader shown, StringBuilder screen, String text)
      throws IOException {
    int from = screen.length();
    while (screen.indexOf(text, from) < 0) {
      int next = shown.read();
      if (next < 0) {
        throw new AssertionError("'" + text + "' never came: " + screen);
      }
      screen.append((char) next);
    }
  }
}
