# Terraform with the provider grafana/grafana: a data source, and a rule that
# pages when a new version of orders fails.
terraform {
  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = ">= 4.0"
    }
  }
}

variable "grafana_token" {
  type      = string
  sensitive = true
}

resource "grafana_data_source" "foresight" {
  name = "Foresight"
  uid  = "foresight"
  type = "foresight-observability-datasource"

  json_data_encoded = jsonencode({
    prometheus = { mode = "direct", url = "http://prometheus:9090" }
    traces     = { kind = "tempo", mode = "direct", url = "http://tempo:3200" }
    grafana    = { url = "http://grafana:3000" }
  })

  secure_json_data_encoded = jsonencode({
    grafanaToken = var.grafana_token
  })
}

resource "grafana_folder" "foresight" {
  title = "Foresight"
}

resource "grafana_rule_group" "deploys" {
  name             = "deploys"
  folder_uid       = grafana_folder.foresight.uid
  interval_seconds = 60

  rule {
    name           = "A new version of orders fails"
    condition      = "failed"
    for            = "0s"
    no_data_state  = "OK"
    exec_err_state = "KeepLast"

    data {
      ref_id         = "verdict"
      datasource_uid = grafana_data_source.foresight.uid
      relative_time_range {
        from = 3600
        to   = 0
      }
      model = jsonencode({
        refId     = "verdict"
        queryType = "verdict"
        service   = "orders"
      })
    }

    data {
      ref_id         = "failed"
      datasource_uid = "__expr__"
      relative_time_range {
        from = 0
        to   = 0
      }
      model = jsonencode({
        refId      = "failed"
        type       = "threshold"
        expression = "verdict"
        conditions = [{ evaluator = { type = "gt", params = [0.5] } }]
      })
    }
  }
}
