/**
 * How a model speaks.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.load(Path.of("out/model"))) {
 *   GenerationOptions options = GenerationOptions.defaults().withTopP(0.9).withStopStrings("\n\n");
 *   Generation answer = model.generate("Once", options);
 *   try (TextStream pieces = model.stream("Once", options)) {
 *     pieces.forEach(System.out::print);
 *   }
 *   List<Generation> several = model.generateAll(List.of("Once", "Now"), options);
 *   try (Chat chat = model.chat(ChatOptions.defaults().withSystemPrompt("Be brief."))) {
 *     String text = chat.send("What is the longest river?").text();
 *   }
 * }
 * }</pre>
 *
 * <p>A {@link io.minimind.infer.LanguageModel} takes and gives text. A {@link
 * io.minimind.infer.Decoder} is the part of it below the tokenizer, for token ids alone. What the
 * caller did wrong is an {@link java.lang.IllegalArgumentException}, a missing or broken file an
 * {@link java.io.IOException}, and the use of something closed an {@link
 * java.lang.IllegalStateException}; the message is a sentence for people.
 */
package io.minimind.infer;
