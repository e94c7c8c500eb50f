import Mustache

/// The contact sheet's HTML around its words and pictures, in the dress of the report.
enum ContactSheetTemplate {
  static func render(_ sheet: ContactSheet) -> String {
    guard let html = library.render(sheet, withTemplate: "sheet") else { preconditionFailure("No template 'sheet'") }
    return html
  }

  private static let library = MarkupText.library(["sheet": sheet, "style": ReportTemplate.style, "own": style])

  private static let sheet = #"""
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <title>{{heading}} - cosface</title>
    <link rel="icon" href="data:,">
    <style>{{>style}}{{>own}}</style>
    </head>
    <body>
    <main>
    <header>
    <h1>{{heading}}</h1>
    <p class="quiet">{{subtitle}}</p>
    </header>
    {{#notes}}<p class="note">{{.}}</p>
    {{/notes}}
    <nav class="kinds" aria-label="Kinds">{{#sections}}<a href="#{{identifier}}">{{heading}}</a> {{/sections}}</nav>
    {{#sections}}
    <section aria-labelledby="{{identifier}}">
    <h2 id="{{identifier}}">{{heading}}</h2>
    <p class="quiet">{{paragraph}}</p>
    <ol class="cases">
    {{#cases}}
    <li class="card">
    <div class="groups">{{#groups}}<figure><div class="row">{{#pictures}}<img src="{{address}}" alt="{{name}}" title="{{name}}" width="80" height="80">{{/pictures}}</div><figcaption>{{title}}</figcaption></figure>{{/groups}}</div>
    <p class="verdict"><b>{{action}}</b> <span class="quiet">{{number}}. {{people}}; score {{score}}; {{remark}}</span></p>
    </li>
    {{/cases}}
    </ol>
    </section>
    {{/sections}}
    <footer class="quiet">{{program}}, {{date}}</footer>
    </main>
    </body>
    </html>

    """#

  private static let style = #"""
    .kinds { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.75rem 0; font-size: 0.875rem; } .kinds a { color: inherit; }
    .cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(33rem, 100%), 1fr)); gap: 0.75rem; padding: 0; margin: 0.75rem 0; list-style: none; }
    .groups { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; } .groups figure { margin: 0; min-width: 0; }
    .groups figcaption { font-weight: 400; font-size: 0.8125rem; max-width: 20rem; overflow-wrap: anywhere; }
    .row { display: flex; flex-wrap: wrap; gap: 0.25rem; } .row img { border-radius: 0.25rem; width: 56px; height: 56px; }
    .verdict { overflow-wrap: anywhere; }
    @media (min-width: 40rem) { .row img { width: 64px; height: 64px; } }
    """#
}
