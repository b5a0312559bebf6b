package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.TextStream;
import io.minimind.infer.TokenLogProbability;
import io.minimind.tokenizer.Tokenizer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** {@code POST /v1/completions}. */
final class OpenAiCompletions implements Endpoint {
  private final Models models;
  private final Answering.Server server;

  OpenAiCompletions(Models models, Answering.Server server) {
    this.models = models;
    this.server = server;
  }

  /**
   * A text to continue.
   *
   * @param text as it was given, or decoded
   */
  record Prompt(String text, Function<GenerationOptions, TextStream> stream) {}

  @Override
  public void answer(Exchange exchange, Fields body) {
    ServedModel model = models.find(body.string("model"));
    if (body.has("suffix")) {
      throw ApiError.invalid("suffix", "The models here continue texts only; leave out suffix.");
    }
    GenerationOptions generation = OpenAiOptions.generation(body, model);
    if (!body.has("max_tokens") && !body.has("max_completion_tokens")) {
      generation = generation.withMaxNewTokens(16); // as OpenAI has it
    }
    var alternatives = OpenAiOptions.completionLogProbabilities(body);
    if (alternatives.isPresent()) {
      generation = generation.withLogProbabilities(alternatives.getAsInt());
    }
    List<Prompt> prompts = prompts(body, "prompt", model.model());
    int each = OpenAiOptions.answers(body);
    if (prompts.size() * each > model.places()) {
      throw ApiError.invalid(
          "prompt", "At most %d answers can be asked for at once.".formatted(model.places()));
    }
    List<Answering.Beginning> beginnings = new ArrayList<>();
    List<String> echoes = new ArrayList<>();
    boolean echo = body.flag("echo", false);
    for (Prompt prompt : prompts) {
      for (int i = 0; i < each; i++) {
        GenerationOptions seeded = OpenAiOptions.seeded(generation, body, i);
        beginnings.add(() -> Source.of(prompt.stream().apply(seeded)));
        echoes.add(echo ? prompt.text() : "");
      }
    }
    boolean logProbabilities = alternatives.isPresent();
    boolean usage = OpenAiOptions.includesUsage(body);
    AnswerForm form =
        body.flag("stream", false)
            ? new Streamed(exchange, model, echoes, each, logProbabilities, usage)
            : new Whole(exchange, model, echoes, each, logProbabilities);
    Answering.start(exchange, model, server, form, beginnings);
  }

  /** A text, a list of texts, token ids, or a list of lists of token ids. */
  static List<Prompt> prompts(Fields body, String name, LanguageModel model) {
    JsonNode value = body.json().path(name);
    if (value.isMissingNode() || value.isNull()) {
      throw body.missing(name);
    }
    List<Prompt> prompts = new ArrayList<>();
    if (value.isTextual() || value.isArray() && value.path(0).isInt()) {
      prompts.add(prompt(value, name, body, model));
    } else if (value.isArray()) {
      value.forEach(one -> prompts.add(prompt(one, name, body, model)));
    }
    if (prompts.isEmpty()) {
      throw body.wrong(name, "a text, token ids, or a list of such", value);
    }
    return prompts;
  }

  private static Prompt prompt(JsonNode value, String name, Fields body, LanguageModel model) {
    if (value.isTextual()) {
      String text = value.textValue();
      return new Prompt(text, options -> model.stream(text, options));
    }
    int[] ids = new int[value.size()];
    for (int i = 0; i < ids.length; i++) {
      if (!value.get(i).isInt()) {
        throw body.wrong(name, "a text, token ids, or a list of such", value);
      }
      ids[i] = value.get(i).intValue();
      if (ids[i] < 0 || ids[i] >= model.tokenizer().vocabularySize()) {
        throw ApiError.invalid(
            body.place(name),
            "The field %s holds %d, but the ids of tokens are 0 to %d here."
                .formatted(name, ids[i], model.tokenizer().vocabularySize() - 1));
      }
    }
    if (ids.length == 0) {
      throw body.wrong(name, "a text, token ids, or a list of such", value);
    }
    return new Prompt(model.tokenizer().decode(ids), options -> model.stream(ids, options));
  }

  /**
   * @param offset of the first token in the text
   */
  private static ObjectNode told(
      List<TokenLogProbability> tokens, Tokenizer tokenizer, int offset) {
    ObjectNode all = Json.object();
    ArrayNode texts = all.putArray("tokens");
    ArrayNode values = all.putArray("token_logprobs");
    ArrayNode alternatives = all.putArray("top_logprobs");
    ArrayNode offsets = all.putArray("text_offset");
    int at = offset;
    for (TokenLogProbability token : tokens) {
      String text = tokenizer.decode(new int[] {token.tokenId()});
      texts.add(text);
      values.add(OpenAiText.finite(token.logProbability()));
      ObjectNode others = alternatives.addObject();
      token
          .alternatives()
          .forEach(
              other ->
                  others.put(
                      tokenizer.decode(new int[] {other.tokenId()}),
                      OpenAiText.finite(other.logProbability())));
      offsets.add(at);
      at += text.length();
    }
    return all;
  }

  private static ObjectNode choice(
      int index, String text, ObjectNode logProbabilities, String finishReason) {
    ObjectNode choice = Json.object().put("index", index).put("text", text);
    choice.set("logprobs", logProbabilities);
    return choice.put("finish_reason", finishReason);
  }

  private record Whole(
      Exchange exchange, ServedModel model, List<String> echoes, int each, boolean logProbabilities)
      implements AnswerForm {
    @Override
    public void complete(List<Reply> replies) {
      ObjectNode answer = Json.object().put("id", OpenAiText.id("cmpl-"));
      answer.put("object", "text_completion");
      answer.put("created", Instant.now().getEpochSecond()).put("model", model.name());
      ArrayNode choices = answer.putArray("choices");
      for (int i = 0; i < replies.size(); i++) {
        Reply reply = replies.get(i);
        ObjectNode told =
            logProbabilities
                ? told(
                    reply.generation().logProbabilities(),
                    model.model().tokenizer(),
                    echoes.get(i).length())
                : null;
        String text = echoes.get(i) + reply.text();
        choices.add(choice(i, text, told, OpenAiText.finishReason(reply)));
      }
      answer.set("usage", OpenAiText.usage(replies, each));
      exchange.answer(answer);
    }

    @Override
    public void fail(ApiError error) {
      exchange.fail(error);
    }
  }

  private static final class Streamed extends OpenAiStream {
    private final List<String> echoes;
    private final boolean logProbabilities;
    private final int[] offsets; // of what comes next in the text of each

    Streamed(
        Exchange exchange,
        ServedModel model,
        List<String> echoes,
        int each,
        boolean logProbabilities,
        boolean usage) {
      super(exchange, model, "cmpl-", "text_completion", each, usage);
      this.echoes = echoes;
      this.logProbabilities = logProbabilities;
      offsets = echoes.stream().mapToInt(String::length).toArray();
    }

    @Override
    void begin() {
      for (int i = 0; i < echoes.size(); i++) {
        if (!echoes.get(i).isEmpty()) {
          send(choice(i, echoes.get(i), null, null));
        }
      }
    }

    @Override
    public void part(int choice, ReplyPart part, List<TokenLogProbability> tokens) {
      if (part instanceof ReplyPart.Text text) {
        ObjectNode told =
            logProbabilities ? told(tokens, model().model().tokenizer(), offsets[choice]) : null;
        send(choice(choice, text.text(), told, null));
        offsets[choice] += text.text().length();
      }
    }

    @Override
    public void end(int choice, Reply reply) {
      send(choice(choice, "", null, OpenAiText.finishReason(reply)));
    }
  }
}
