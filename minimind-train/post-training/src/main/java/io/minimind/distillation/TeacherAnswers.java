package io.minimind.distillation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.chat.ToolCall;
import io.minimind.data.Conversation;
import io.minimind.data.MalformedRowException;
import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import io.minimind.files.AtomicFile;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.ContextLengthException;
import io.minimind.infer.FinishReason;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.infer.Reply;
import io.minimind.task.FrozenModel;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

/**
 * Writes what a model answers as a file to fine-tune another one with: the conversations of a
 * corpus with their last answer, if they have one, in the model's words. Rows are read and written
 * one after the other. Work that was stopped goes on where it was, to the same file: what is drawn
 * for an answer follows from the seed and the number of its row.
 *
 * <p>Until it is complete the file has {@code .partial} behind its name.
 *
 * @param generation how answers are chosen; their seeds follow from its own, or from 0
 * @param thinking whether a model that can thinks before it answers
 * @param together how many answers are written at the same time, at least 1
 */
public record TeacherAnswers(GenerationOptions generation, boolean thinking, int together) {

  /** An answer that was cut would teach never to end. */
  private static final String UNFINISHED = "the answer did not end";

  private static final String EMPTY = "the answer is empty";
  private static final String TOO_LONG = "the conversation is too long";
  private static final String ROW = "row";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Is told how much of {@link Rows#size} is read and how many answers are written. */
  @FunctionalInterface
  public interface Progress {
    void update(long read, long written);
  }

  /**
   * What has been written.
   *
   * @param answers in the file, those of earlier calls included
   * @param leftOut why rows of this call have no answer, and how many
   * @param complete whether the file is; if not, the same call goes on
   */
  public record Result(long answers, Map<String, Long> leftOut, boolean complete) {}

  /** The number of a row, and what became of it. */
  private record Answered(long row, Optional<ObjectNode> line, String reason) {}

  /**
   * Writes the answers, or goes on with it.
   *
   * @param model the folder of the model
   * @param rows conversations, as for fine-tuning, or prompts in a column {@code prompt}
   * @param target a {@code .jsonl} file that does not exist yet
   * @param interrupted asked before each answer whether to stop; true from the first time on
   * @throws IOException if the model or the rows cannot be read, the file is there or cannot be
   *     written, or it was begun with another model, other rows or options
   */
  public Result write(
      Path model, Rows rows, Path target, BooleanSupplier interrupted, Progress progress)
      throws IOException {
    if (Files.exists(target)) {
      throw new InputException(target + " is there already: name another file.");
    }
    Path partial = target.resolveSibling(target.getFileName() + ".partial");
    Path begun = target.resolveSibling(target.getFileName() + ".begun");
    // Nothing is made for a model or rows that cannot be read.
    try (RowReader reader = rows.open(Conversation.prompts());
        LanguageModel language =
            LanguageModel.load(model, LoadOptions.defaults().withBatchSize(together));
        FileChannel file = opened(partial)) {
      requireAlone(file, partial);
      requireSame(begun, partial, description(model, rows));
      Place place = Place.of(file, partial);
      Result result = write(language, reader, file, place, interrupted, progress);
      if (result.complete()) {
        file.force(true);
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        Files.deleteIfExists(begun);
      }
      return result;
    }
  }

  private static FileChannel opened(Path partial) throws IOException {
    Folders.create(partial.toAbsolutePath().getParent());
    return FileChannel.open(
        partial, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static void requireAlone(FileChannel file, Path partial) throws IOException {
    boolean alone;
    try {
      alone = file.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      alone = false;
    }
    if (!alone) {
      throw new InputException("Answers are being written to " + partial + " already.");
    }
  }

  private String description(Path model, Rows rows) throws IOException {
    ObjectNode description = JSON.createObjectNode();
    description.put("model", FrozenModel.of(model).digest());
    description.put("rows", rows.fingerprint());
    description.put("generation", generation.toString());
    description.put("thinking", thinking);
    return JSON.writeValueAsString(description);
  }

  /** What was begun with other settings would be of two kinds. */
  private static void requireSame(Path begun, Path partial, String description) throws IOException {
    if (Files.size(partial) == 0) {
      AtomicFile.replace(begun, description.getBytes(StandardCharsets.UTF_8));
    } else if (!Files.exists(begun) || !Files.readString(begun).equals(description)) {
      throw new InputException(
          "The answers in %s were begun with another model, other rows or options: give those, or delete that file."
              .formatted(partial));
    }
  }

  /**
   * Where the file ends.
   *
   * @param row the last one that has an answer, 0 if there is none
   * @param answers how many there are
   */
  private record Place(long row, long answers) {

    /** Cuts a line off that is not complete. */
    static Place of(FileChannel file, Path path) throws IOException {
      long row = 0;
      long answers = 0;
      long end = 0;
      try (InputStream lines = new BufferedInputStream(Files.newInputStream(path))) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = lines.read(); next >= 0; next = lines.read()) {
          line.write(next);
          if (next == '\n') {
            end += line.size();
            row = number(line.toByteArray(), path);
            answers++;
            line.reset();
          }
        }
      }
      file.truncate(end);
      file.position(end);
      return new Place(row, answers);
    }

    private static long number(byte[] line, Path path) throws IOException {
      try {
        JsonNode row = JSON.readTree(line).path(ROW);
        if (row.isIntegralNumber()) {
          return row.longValue();
        }
      } catch (JsonProcessingException e) {
        // As below.
      }
      throw new InputException("The answers in " + path + " are damaged: delete that file.");
    }
  }

  private Result write(
      LanguageModel language,
      RowReader reader,
      FileChannel file,
      Place from,
      BooleanSupplier interrupted,
      Progress progress)
      throws IOException {
    Map<String, Long> leftOut = new TreeMap<>();
    long written = from.answers();
    boolean stopped = false;
    ExecutorService threads = Executors.newFixedThreadPool(together);
    Deque<Future<Answered>> pending = new ArrayDeque<>();
    try {
      boolean more = true;
      while (!stopped && (more || !pending.isEmpty())) {
        while (more && pending.size() < 2 * together) {
          Optional<Row> next = next(reader, leftOut);
          more = next.isPresent();
          next.filter(row -> row.number() > from.row())
              .ifPresent(row -> pending.add(threads.submit(() -> answer(language, row))));
        }
        stopped = interrupted.getAsBoolean();
        if (!stopped && !pending.isEmpty()) {
          Answered answered = result(pending.remove());
          if (answered.line().isPresent()) {
            byte[] line = JSON.writeValueAsBytes(answered.line().get());
            ByteBuffer bytes = ByteBuffer.allocate(line.length + 1);
            AtomicFile.write(file, bytes.put(line).put((byte) '\n').flip());
            written++;
          } else {
            leftOut.merge(answered.reason(), 1L, Long::sum);
          }
          progress.update(reader.position(), written);
        }
      }
      return new Result(written, leftOut, !stopped);
    } finally {
      pending.forEach(answer -> answer.cancel(true));
      threads.shutdownNow();
    }
  }

  private static Optional<Row> next(RowReader reader, Map<String, Long> leftOut)
      throws IOException {
    while (true) {
      try {
        return reader.next();
      } catch (MalformedRowException e) {
        leftOut.merge("the row cannot be read", 1L, Long::sum);
      }
    }
  }

  private static Answered result(Future<Answered> answer) throws IOException {
    try {
      return answer.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while answering.");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("Answering failed", e.getCause());
    }
  }

  private Answered answer(LanguageModel language, Row row) {
    Conversation question;
    try {
      question = Conversation.prompt(row);
    } catch (IllegalArgumentException e) {
      return new Answered(row.number(), Optional.empty(), "the row cannot be used");
    }
    long seed = generation.seed().orElse(0) + row.number();
    ChatOptions options =
        ChatOptions.defaults().withGeneration(generation.withSeed(seed)).withThinking(thinking);
    if (!question.tools().isEmpty()) {
      options =
          options
              .withTools(question.tools().stream().map(TeacherAnswers::tool).toList())
              .withVariable("tools", question.tools());
    }
    try {
      Reply reply = language.reply(question.messages(), options);
      if (reply.generation().finishReason() == FinishReason.LENGTH) {
        return new Answered(row.number(), Optional.empty(), UNFINISHED);
      }
      return reply.text().isBlank() && reply.toolCalls().isEmpty()
          ? new Answered(row.number(), Optional.empty(), EMPTY)
          : new Answered(row.number(), Optional.of(line(row, question, reply)), "");
    } catch (ContextLengthException e) {
      return new Answered(row.number(), Optional.empty(), TOO_LONG);
    }
  }

  private static Tool tool(Map<String, Object> described) {
    Map<?, ?> function = described.get("function") instanceof Map<?, ?> inner ? inner : described;
    Map<String, Object> parameters =
        JSON.convertValue(
            function.get("parameters") instanceof Map<?, ?> schema ? schema : Map.of(),
            new TypeReference<Map<String, Object>>() {});
    return new Tool(
        Objects.toString(function.get("name"), ""),
        Objects.toString(function.get("description"), ""),
        parameters);
  }

  private static ObjectNode line(Row row, Conversation question, Reply reply) {
    ObjectNode line = JSON.createObjectNode();
    line.put(ROW, row.number());
    ArrayNode messages = line.putArray("messages");
    question.messages().forEach(message -> messages.add(message(message)));
    ObjectNode answer = messages.addObject().put("role", "assistant").put("content", reply.text());
    reply.reasoning().ifPresent(thought -> answer.put("reasoning_content", thought));
    if (!reply.toolCalls().isEmpty()) {
      ArrayNode calls = answer.putArray("tool_calls");
      for (ToolCall call : reply.toolCalls()) {
        // Without the id, which is another each time.
        calls.addObject().put("name", call.name()).put("arguments", call.arguments());
      }
    }
    if (!question.tools().isEmpty()) {
      line.set("tools", JSON.valueToTree(question.tools()));
    }
    return line;
  }

  private static ObjectNode message(Message message) {
    ObjectNode json = JSON.createObjectNode();
    json.put("role", message.role()).put("content", message.content());
    message.fields().forEach((name, value) -> json.set(name, JSON.valueToTree(value)));
    return json;
  }
}
